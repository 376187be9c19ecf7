import Glibc
import Media
import Signalling

/// A Unix stream socket that is given a line and answers with one. Blocks.
enum HookSocket {
    static func ask(_ path: String, _ line: [UInt8], until deadline: MediaTime) throws(HookFailure) -> [UInt8] {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | SOCK_FLAGS, 0)
        guard connection >= 0 else { throw failure("a socket", path) }
        defer { close(connection) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { target in
            guard path.utf8.count < target.count else { return false }
            target.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw HookFailure("the path \(path) is too long for a socket") }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // One whose queue is full says so at once: Unix sockets have no connection under way.
        guard result == 0 else { throw failure("connecting to", path) }
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno != EINTR, errno != EAGAIN {
                throw failure("writing to", path)
            } else if !DeadlineReader.wait(connection, Int16(POLLOUT), until: deadline) {
                throw HookFailure("\(path) took no command in time")
            }
        }
        return try DeadlineReader.readLine(connection, until: deadline)
    }

    private static let SOCK_FLAGS = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func failure(_ action: String, _ path: String) -> HookFailure {
        HookFailure("\(action) \(path): \(String(cString: strerror(errno)))")
    }
}
