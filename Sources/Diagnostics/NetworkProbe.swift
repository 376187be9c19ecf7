import Glibc

/// What the machine's network looks like from the agent.
package struct NetworkProbe: Sendable, Hashable {
    package struct Interface: Sendable, Hashable {
        package var name: String
        /// In numbers.
        package var addresses: [String]
        /// The largest packet, in bytes; nil where the kernel does not say.
        package var maximumPacket: Int?

        package init(name: String, addresses: [String], maximumPacket: Int? = nil) {
            self.name = name
            self.addresses = addresses
            self.maximumPacket = maximumPacket
        }
    }

    package enum Gateway: Sendable, Hashable {
        /// No route leads out of the local network.
        case none
        case answers(String)
        /// Nobody has this address.
        case silent(String)
        /// There is a route, and no way to ask: an interface without neighbours, or IPv6 only.
        case unknown
    }

    /// Those that are up, without the loopback.
    package var interfaces: [Interface]
    package var gateway: Gateway
    package var nameServers: [String]

    package init(interfaces: [Interface], gateway: Gateway, nameServers: [String]) {
        self.interfaces = interfaces
        self.gateway = gateway
        self.nameServers = nameServers
    }

    /// Blocks for a second at most.
    package static func run() -> NetworkProbe {
        NetworkProbe(
            interfaces: interfaces(), gateway: gateway(),
            nameServers: nameServers(in: SmallFile.text("/etc/resolv.conf") ?? ""))
    }

    private static func interfaces() -> [Interface] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [Interface] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard entry.ifa_flags & UInt32(IFF_UP) != 0, entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0,
                let address = entry.ifa_addr, let text = SocketAddressText.host(address)
            else { continue }
            let name = String(cString: entry.ifa_name)
            if let index = found.firstIndex(where: { $0.name == name }) {
                found[index].addresses.append(text)
            } else {
                let packet = SmallFile.number("/sys/class/net/\(name)/mtu")
                found.append(Interface(name: name, addresses: [text], maximumPacket: packet))
            }
        }
        return found
    }

    // MARK: The gateway

    private static func gateway() -> Gateway {
        guard let address = defaultGateway(in: SmallFile.text("/proc/self/net/route") ?? "") else {
            let hasRoute6 = hasDefaultRoute6(in: SmallFile.text("/proc/self/net/ipv6_route") ?? "")
            return hasRoute6 ? .unknown : .none
        }
        guard let address else { return .unknown }
        // A packet to nobody in particular makes the kernel ask whose address that is.
        let asking = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard asking >= 0 else { return .unknown }
        defer { close(asking) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(9).bigEndian
        guard inet_pton(AF_INET, address, &name.sin_addr) == 1 else { return .unknown }
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(asking, [0 as UInt8], 1, Int32(MSG_NOSIGNAL), $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        for _ in 0..<10 {
            switch isNeighbour(address, in: SmallFile.text("/proc/self/net/arp") ?? "") {
            case true?: return .answers(address)
            case false?, nil: poll(nil, 0, 100)
            }
        }
        return isNeighbour(address, in: SmallFile.text("/proc/self/net/arp") ?? "") == nil
            ? .unknown : .silent(address)
    }

    /// From `/proc/net/route`: interface, destination and gateway as hexadecimal numbers in the machine's order. Nil
    /// without a default route; `.some(nil)` for one that leads through no gateway.
    package static func defaultGateway(in routes: String) -> String?? {
        for line in routes.split(separator: "\n").dropFirst() {
            let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            guard fields.count > 7, fields[1] == "00000000", fields[7] == "00000000",
                let gateway = UInt32(fields[2], radix: 16)
            else { continue }
            return gateway == 0 ? .some(nil) : (0..<4).map { "\(gateway >> ($0 * 8) & 255)" }.joined(separator: ".")
        }
        return nil
    }

    /// From `/proc/net/ipv6_route`: a default route that is no rejection.
    package static func hasDefaultRoute6(in routes: String) -> Bool {
        routes.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[0].allSatisfy { $0 == "0" } && fields[1] == "00" && fields[9] != "lo"
        }
    }

    /// From `/proc/net/arp`: whether it has told its hardware address; nil where it is not in the list.
    package static func isNeighbour(_ address: String, in neighbours: String) -> Bool? {
        for line in neighbours.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[0] == address else { continue }
            return (UInt32(fields[2].dropFirst(2), radix: 16) ?? 0) & 2 != 0
        }
        return nil
    }

    package static func nameServers(in configuration: String) -> [String] {
        configuration.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
        }
    }
}
