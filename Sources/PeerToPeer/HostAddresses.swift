import Glibc

/// What the system knows of hosts' addresses. Blocks.
package enum HostAddresses {
    struct Failure: Error {
        let reason: String
        /// Whether nobody answers who knows names, so that others need not be tried.
        let isSilence: Bool
    }

    /// The first address of a host, IPv4 before IPv6, since that is what routers change.
    static func find(_ server: ICESettings.Server) throws(Failure) -> NetworkAddress {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(server.host, "\(server.port)", &hints, &list)
        guard result == 0 else {
            throw Failure(reason: String(cString: gai_strerror(result)), isSilence: result == EAI_AGAIN)
        }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var entry = list
        while let node = entry {
            if let address = NetworkAddress(node.pointee.ai_addr) { found.append(address) }
            entry = node.pointee.ai_next
        }
        guard let address = found.first(where: { !$0.isIPv6 }) ?? found.first else {
            throw Failure(reason: "the name has no address", isSilence: false)
        }
        return address
    }

    /// Those of the device's own interfaces.
    static func own() -> Set<[UInt8]> { Set(interfaces().map(\.address)) }

    /// Whether the address is in a network that one of the device's interfaces is in, or is the device's own.
    package static func isNeighbour(_ address: NetworkAddress) -> Bool {
        interfaces().contains { interface in
            interface.address.count == address.bytes.count
                && zip(zip(interface.address, address.bytes), interface.mask)
                    .allSatisfy { ($0.0 ^ $0.1) & $1 == 0 }
        }
    }

    /// Addresses, and which of their bits are the network's.
    private static func interfaces() -> [(address: [UInt8], mask: [UInt8])] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [(address: [UInt8], mask: [UInt8])] = []
        var entry = list
        while let node = entry {
            if let address = NetworkAddress(node.pointee.ifa_addr) {
                let whole = [UInt8](repeating: 0xFF, count: address.bytes.count)
                found.append((address.bytes, NetworkAddress(node.pointee.ifa_netmask)?.bytes ?? whole))
            }
            entry = node.pointee.ifa_next
        }
        return found
    }
}

extension NetworkAddress {
    fileprivate init?(_ address: UnsafeMutablePointer<sockaddr>?) {
        guard let address else { return nil }
        var storage = sockaddr_storage()
        let size: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        memcpy(&storage, address, size)
        self.init(storage)
    }
}
