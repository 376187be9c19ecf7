import Glibc

/// Reads the file with the device's id: one line of at most 64 visible ASCII characters.
package enum DeviceIDFile {
    package static let defaultPath = "/etc/edge-agent/device-id"
    package static let maximumLength = 64

    package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case unreadable(path: String, reason: String)
        case malformed(path: String)

        package var description: String {
            switch self {
            case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
            case .malformed(let path):
                "\(path) does not hold one line of 1 to \(DeviceIDFile.maximumLength) visible characters"
            }
        }
    }

    /// Nil where there is no such file.
    package static func read(path: String = defaultPath) throws(Failure) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(file) }
        // Room for the line's end, and to see what is too long.
        var bytes = [UInt8](repeating: 0, count: maximumLength + 3)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        guard let id = parse(bytes[..<count]) else { throw .malformed(path: path) }
        return id
    }

    /// Nil where the text is no id.
    package static func parse(_ text: some BidirectionalCollection<UInt8>) -> String? {
        var line = text[...]
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard (1...maximumLength).contains(line.count), line.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return nil
        }
        return String(decoding: line, as: UTF8.self)
    }
}
