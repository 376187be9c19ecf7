/// How large datagrams may be so that they get through in one piece; bytes after the headers of IP and UDP.
package enum DatagramSize {
    /// Through whatever the internet is made of.
    static let anyPath = 1200
    /// Ethernet's 1500 bytes, of which WireGuard takes 80, and IPv6 and UDP 48: between the rooms of a company.
    private static let localPath = 1372
    private static let ethernet = 1500

    /// - Parameters:
    ///   - isNeighbour: whether nothing that routes lies between.
    ///   - packetBytes: what the system takes on this way in one piece, with IP's header; nil where that is not known.
    package static func largest(to address: NetworkAddress, isNeighbour: Bool, packetBytes: Int?) -> Int {
        // A public address in the same network may be a router's, with anything behind it.
        guard address.isLocal else { return anyPath }
        let whole = min(packetBytes ?? ethernet, ethernet) - (address.isIPv6 ? 40 : 20) - 8
        return max(isNeighbour && packetBytes != nil ? whole : min(whole, localPath), anyPath)
    }

    /// As the system sees the way now.
    package static func largest(to address: NetworkAddress) -> Int {
        largest(to: address, isNeighbour: HostAddresses.isNeighbour(address), packetBytes: packetBytes(to: address))
    }

    private static func packetBytes(to address: NetworkAddress) -> Int? {
        do throws(ProbeSocket.Failure) {
            // Connected it only knows the way; nothing is sent.
            let socket = try ProbeSocket(isStream: false, isIPv6: address.isIPv6)
            try socket.connect(to: address)
            return socket.packetBytes(isIPv6: address.isIPv6)
        } catch {
            return nil
        }
    }
}
