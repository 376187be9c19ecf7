import Glibc
import NIOCore

/// A store in a folder of a real disk. All names are looked up below the folder's own descriptor, so that another disk
/// mounted over it, or one that went away, is never written to by mistake.
package final class FolderStore: FileStore, Sendable {
    package let path: String
    private let folder: Int32

    /// - Parameter requiresMount: the folder must be where a file system of its own is mounted.
    package init(path: String, requiresMount: Bool = false) throws(StorageFailure) {
        self.path = path
        folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else {
            throw errno == ENOENT
                ? StorageFailure(.missing, "\(path) is not there; is the disk mounted?")
                : StorageFailure("opening", path, errno: errno)
        }
        guard !requiresMount || Self.isMountPoint(folder) else {
            Glibc.close(folder)
            throw StorageFailure(.missing, "no disk is mounted at \(path)")
        }
    }

    deinit { if folder >= 0 { Glibc.close(folder) } }

    /// Makes a folder and what is missing above it; where that fails, opening it says why.
    static func makeFolder(_ path: String) {
        var part = ""
        for name in path.split(separator: "/") {
            part += "/" + name
            mkdir(part, 0o750)
        }
    }

    private static func isMountPoint(_ folder: Int32) -> Bool {
        var (own, above) = (stat(), stat())
        guard fstat(folder, &own) == 0, fstatat(folder, "..", &above, 0) == 0 else { return false }
        return own.st_dev != above.st_dev
    }

    package func checkIsThere() throws(StorageFailure) {
        var (own, named) = (stat(), stat())
        guard fstat(folder, &own) == 0, stat(path, &named) == 0, own.st_dev == named.st_dev, own.st_ino == named.st_ino
        else { throw StorageFailure(.missing, "\(path) is not the folder any more that recording began with") }
    }

    // MARK: Files

    package func create(_ path: String) throws(StorageFailure) -> any StoredFile {
        try file(path, O_RDWR | O_CREAT | O_EXCL, "creating")
    }

    package func open(_ path: String, forWriting: Bool) throws(StorageFailure) -> any StoredFile {
        try file(path, forWriting ? O_RDWR : O_RDONLY, "opening")
    }

    private func file(_ path: String, _ flags: Int32, _ action: String) throws(StorageFailure) -> DescriptorFile {
        let descriptor = openat(folder, path, flags | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw StorageFailure(action, path, errno: errno) }
        return DescriptorFile(descriptor: descriptor, path: path)
    }

    package func remove(_ path: String) throws(StorageFailure) {
        guard unlinkat(folder, path, 0) == 0 || errno == ENOENT else {
            throw StorageFailure("removing", path, errno: errno)
        }
    }

    // MARK: Folders

    package func makeFolder(_ path: String) throws(StorageFailure) {
        guard mkdirat(folder, path, 0o750) == 0 || errno == EEXIST else {
            throw StorageFailure("making", path, errno: errno)
        }
    }

    package func removeFolder(_ path: String) throws(StorageFailure) {
        guard unlinkat(folder, path, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST
        else { throw StorageFailure("removing", path, errno: errno) }
    }

    package func list(_ path: String) throws(StorageFailure) -> [FileEntry] {
        let descriptor = openat(folder, path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return [] }
            throw StorageFailure("listing", path, errno: errno)
        }
        guard let stream = fdopendir(descriptor) else {
            defer { Glibc.close(descriptor) }
            throw StorageFailure("listing", path, errno: errno)
        }
        defer { closedir(stream) }
        var entries: [FileEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var info = stat()
            guard name != ".", name != "..", fstatat(descriptor, name, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
                continue
            }
            let isFolder = info.st_mode & S_IFMT == S_IFDIR
            entries.append(FileEntry(name: name, isFolder: isFolder, size: isFolder ? 0 : Int64(info.st_size)))
        }
        guard errno == 0 else { throw StorageFailure("listing", path, errno: errno) }
        return entries
    }

    package func syncFolder(_ path: String) throws(StorageFailure) {
        let descriptor = openat(folder, path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageFailure("opening", path, errno: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageFailure("syncing", path, errno: errno) }
    }

    package func space() throws(StorageFailure) -> DiskSpace {
        var info = statvfs()
        guard fstatvfs(folder, &info) == 0 else { throw StorageFailure("looking at", path, errno: errno) }
        let block = Int64(info.f_frsize)
        return DiskSpace(total: Int64(info.f_blocks) * block, available: Int64(info.f_bavail) * block)
    }
}
