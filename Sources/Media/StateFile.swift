import Glibc

/// A small file that is replaced as a whole, so that a crash or a power cut leaves the old content or the new one.
/// A last line holds the check sum of what is before it; a card that forgets bits is found out. Files without one, such as
/// those of older agents, are taken as they are. Reads and writes block: not for event loops or the concurrency pool.
package enum StateFile {
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package let action: String
        package let path: String
        package let errno: Int32

        package init(action: String, path: String, errno: Int32) {
            self.action = action
            self.path = path
            self.errno = errno
        }

        package var description: String {
            errno == 0
                ? "\(action) \(path): its check sum is wrong" : "\(action) \(path): \(String(cString: strerror(errno)))"
        }
    }

    /// A comment in YAML, so that a configuration that is kept stays one.
    private static let sumPrefix = Array("# sum ".utf8)
    private static let sumBytes = sumPrefix.count + 8 + 1

    /// The content, without the line of its sum. At most one byte more than `maximumBytes`, by which the caller knows that
    /// the file is too long; nil where there is no file.
    package static func read(_ path: String, maximumBytes: Int) throws(Failure) -> [UInt8]? {
        guard let bytes = try readWhole(path, maximumBytes: maximumBytes + sumBytes) else { return nil }
        guard let content = checked(bytes) else { throw Failure(action: "checking", path: path, errno: 0) }
        return Array(content.prefix(maximumBytes + 1))
    }

    /// Nil where the sum is wrong.
    private static func checked(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        let line = bytes.suffix(sumBytes)
        guard line.starts(with: sumPrefix), line.last == UInt8(ascii: "\n") else { return bytes[...] }
        let content = bytes.dropLast(sumBytes)
        return sumLine(content) == Array(line) ? content : nil
    }

    private static func sumLine(_ content: some Collection<UInt8>) -> [UInt8] {
        var sum = CRC32C()
        Array(content).withUnsafeBytes { sum.update($0) }
        let digits = String(sum.value, radix: 16)
        return sumPrefix + Array((String(repeating: "0", count: 8 - digits.count) + digits + "\n").utf8)
    }

    private static func readWhole(_ path: String, maximumBytes: Int) throws(Failure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(action: "opening", path: path, errno: errno)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(maximumBytes + 1, 65536))
        while bytes.count <= maximumBytes {
            let count = Glibc.read(file, &piece, min(piece.count, maximumBytes + 1 - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(action: "reading", path: path, errno: errno) }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    /// Only its owner may read it.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(action: "creating", path: temporary, errno: errno) }
        // On a line of its own, whatever the content ends with.
        let end: [UInt8] = bytes.last.map { $0 == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")] } ?? []
        var problem = write(bytes + end + sumLine(bytes + end), to: file)
        if problem == 0, fsync(file) != 0 { problem = errno }
        close(file)
        guard problem == 0 else {
            unlink(temporary)
            throw Failure(action: "writing", path: temporary, errno: problem)
        }
        guard rename(temporary, path) == 0 else { throw Failure(action: "replacing", path: path, errno: errno) }
        syncFolder(of: path)
    }

    /// 0, or a number of errno(3).
    private static func write(_ bytes: [UInt8], to file: Int32) -> Int32 {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 { written += count } else if errno != EINTR { return errno }
        }
        return 0
    }

    /// The new name must survive a power cut too.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }
}
