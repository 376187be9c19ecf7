import Glibc

/// Makes the folders the agent keeps things in.
enum Folders {
    /// Makes `path` and what is missing above it. Nil where it is there now, else why not.
    static func make(_ path: String, mode: mode_t) -> String? {
        var part = ""
        for name in path.split(separator: "/") {
            part += "/" + name
            guard mkdir(part, mode) != 0, errno != EEXIST else { continue }
            return "\(part): \(String(cString: strerror(errno)))"
        }
        var info = stat()
        guard stat(path, &info) == 0 else { return "\(path): \(String(cString: strerror(errno)))" }
        return info.st_mode & S_IFMT == S_IFDIR ? nil : "\(path) is no folder"
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
