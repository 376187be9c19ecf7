import Glibc

/// A socket of a probe, closed with it. Never blocks.
final class ProbeSocket {
    struct Failure: Error, CustomStringConvertible {
        let number: Int32
        var description: String { String(cString: strerror(number)) }
    }

    enum Reception {
        case bytes([UInt8], from: NetworkAddress?)
        case nothing
        case ended
        case failed(Failure)
    }

    let descriptor: Int32
    private let isStream: Bool
    private static let pieceBytes = 4096

    init(isStream: Bool, isIPv6: Bool) throws(Failure) {
        let type =
            Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        self.isStream = isStream
        guard descriptor >= 0 else { throw Failure(number: errno) }
    }

    deinit { close(descriptor) }

    /// To a port of the system's choice.
    func bindAny(isIPv6: Bool) throws(Failure) {
        guard let any = NetworkAddress(bytes: [UInt8](repeating: 0, count: isIPv6 ? 16 : 4), port: 0) else { return }
        guard any.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else { throw Failure(number: errno) }
    }

    /// Of a stream: is under way when this returns, and done or failed when it can be written to.
    func connect(to address: NetworkAddress) throws(Failure) {
        let result = address.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw Failure(number: errno) }
    }

    /// What became of a connection.
    func checkConnected() throws(Failure) {
        var (number, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else { throw Failure(number: number) }
    }

    /// What a packet to whom it is connected to may have with IP's header, as far as the system knows (IP_MTU, ip(7)); nil
    /// where it does not.
    func packetBytes(isIPv6: Bool) -> Int? {
        var (bytes, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        let result =
            isIPv6
            ? getsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_MTU, &bytes, &size)
            : getsockopt(descriptor, Int32(IPPROTO_IP), IP_MTU, &bytes, &size)
        return result == 0 && bytes > 0 ? Int(bytes) : nil
    }

    /// - Parameter address: nil for whom it is connected to.
    func send(_ bytes: [UInt8], to address: NetworkAddress? = nil) throws(Failure) {
        let flags = Int32(MSG_NOSIGNAL)
        let count =
            address?.withSocketAddress { sendto(descriptor, bytes, bytes.count, flags, $0, $1) }
            ?? Glibc.send(descriptor, bytes, bytes.count, flags)
        if count < 0 { throw Failure(number: errno) }
        // A message is so short that what is not taken whole is not taken.
        if count < bytes.count { throw Failure(number: EMSGSIZE) }
    }

    func receive() -> Reception {
        var bytes = [UInt8](repeating: 0, count: Self.pieceBytes)
        var (storage, size) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        let count = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &size)
            }
        }
        guard count >= 0 else {
            return errno == EAGAIN || errno == EINTR ? .nothing : .failed(Failure(number: errno))
        }
        return count == 0 && isStream ? .ended : .bytes(Array(bytes.prefix(count)), from: NetworkAddress(storage))
    }

    /// The device's own; 0 where it has none yet.
    var port: UInt16 {
        var (storage, size) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        let result = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return result == 0 ? NetworkAddress(storage)?.port ?? 0 : 0
    }
}

extension NetworkAddress {
    /// Nil where it is neither IPv4 nor IPv6.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in.self) }
            self.init(
                bytes: withUnsafeBytes(of: address.sin_addr) { Array($0) }, port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in6.self) }
            self.init(
                bytes: withUnsafeBytes(of: address.sin6_addr) { Array($0) }, port: UInt16(bigEndian: address.sin6_port))
        default: return nil
        }
    }

    /// As the system's calls want it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let size = withUnsafeMutableBytes(of: &storage) { place -> Int in
            if isIPv6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                place.storeBytes(of: address, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            place.storeBytes(of: address, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        }
        return withUnsafePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }
}
