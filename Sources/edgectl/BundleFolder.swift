import ArgumentParser
import Glibc

/// Where a bundle is put together: a folder that nobody else can look into, and that is removed afterwards.
struct BundleFolder {
    /// Of one entry; the end is what is kept, since that is where the fault is.
    static let maximumBytes = 8 << 20
    static let programPatience = 60

    /// What the folder lies in.
    let parent: String
    private let path: String
    private(set) var entries: [String] = []
    private(set) var missing: [String] = []

    init(name: String) throws {
        // The six last letters are mkdtemp(3)'s to replace.
        var template = "/tmp/edge-agent-bundle-XXXXXX".utf8.map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else {
            printError("edgectl: /tmp: \(String(cString: strerror(errno)))")
            throw ExitCode(1)
        }
        parent = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = "\(parent)/\(name)"
        mkdir(path, 0o700)
    }

    /// Nil and nothing are noted as missing.
    mutating func add(_ name: String, _ bytes: [UInt8]?) {
        guard let bytes, !bytes.isEmpty, write(name, bytes.suffix(Self.maximumBytes)) else {
            missing.append(name)
            return
        }
        entries.append(name)
    }

    /// What a program says, whatever its status is.
    mutating func add(_ name: String, program: String, _ arguments: [String]) {
        var said: [UInt8] = []
        let ending = try? ChildProcess.run(program, arguments, patienceSeconds: Self.programPatience) { line in
            said += Array(line.utf8) + [10]
            if said.count > 2 * Self.maximumBytes { said.removeFirst(said.count - Self.maximumBytes) }
        }
        add(name, said + Array((ending?.errors ?? "").utf8))
    }

    /// Writes down what is there and what is not.
    mutating func finish() {
        let lines =
            ["What is in here:"] + entries.map { "  \($0)" } + ["What could not be had:"] + missing.map { "  \($0)" }
        _ = write("bundle.txt", Array((lines.joined(separator: "\n") + "\n").utf8)[...])
    }

    func remove() {
        for name in entries + ["bundle.txt"] { unlink("\(path)/\(name)") }
        rmdir(path)
        rmdir(parent)
    }

    private func write(_ name: String, _ bytes: ArraySlice<UInt8>) -> Bool {
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    // MARK: What is on this machine

    static func text(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < maximumBytes {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}

/// This program, and those that were installed with it.
enum OwnProgram {
    static var folder: String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "/usr/bin"
    }
}
