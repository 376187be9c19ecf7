import Glibc
import Testing

/// A UDP socket of the system's choice on loopback.
final class LoopbackSocket {
    let descriptor: Int32
    private(set) var address = sockaddr_storage()

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        try #require(descriptor >= 0)
        var size = Int32(4 << 20)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                $0.pointee.sin_family = sa_family_t(AF_INET)
                $0.pointee.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            }
            return storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
    }

    deinit { close(descriptor) }

    func send(_ datagram: [UInt8], to other: LoopbackSocket) {
        var address = other.address
        withUnsafePointer(to: &address) { storage in
            _ = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, datagram, datagram.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// What has come, in order; on loopback that is all that was sent.
    func take() -> [[UInt8]] {
        var taken: [[UInt8]] = []
        var datagram = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &datagram, datagram.count, 0)
            guard count >= 0 else { return taken }
            taken.append(Array(datagram.prefix(count)))
        }
    }
}
