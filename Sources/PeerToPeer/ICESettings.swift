import Access

/// Which servers help to find a way, and which ways are allowed.
package struct ICESettings: Sendable, Hashable {
    package struct Server: Sendable, Hashable, CustomStringConvertible {
        package var host: String
        package var port: UInt16

        package init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }

        /// Such as `stun.example.org`, `192.0.2.1:3478` or `[2001:db8::1]:3478`.
        package init?(_ text: some StringProtocol, defaultPort: UInt16) {
            let host: Substring
            var rest: Substring
            if text.hasPrefix("[") {
                guard let end = text.firstIndex(of: "]") else { return nil }
                host = Substring(text[text.index(after: text.startIndex)..<end])
                rest = Substring(text[text.index(after: end)...])
            } else {
                host = Substring(text.prefix { $0 != ":" })
                rest = Substring(text.dropFirst(host.count))
            }
            guard !host.isEmpty, host.utf8.count <= 253, !host.contains(" ") else { return nil }
            var port = defaultPort
            if !rest.isEmpty {
                guard rest.removeFirst() == ":", let number = UInt16(rest), number > 0 else { return nil }
                port = number
            }
            self.init(host: String(host), port: port)
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// A TURN server.
    package struct Relay: Sendable, Hashable, CustomStringConvertible {
        package enum Transport: String, Sendable, Hashable, CaseIterable { case udp, tcp }

        package var server: Server
        package var transport: Transport
        package var user: String
        package var password: Secret

        /// Such as `turn:relay.example.org:3478?transport=tcp` (RFC 7065). Not `turns:`, since libnice speaks no TLS to
        /// relays; what they carry is encrypted in any case.
        package init?(_ address: String, user: String, password: Secret) {
            let parts = address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            guard let colon = parts[0].firstIndex(of: ":") else { return nil }
            guard parts[0][..<colon].lowercased() == "turn" else { return nil }
            switch parts.count == 2 ? parts[1].lowercased() : "transport=udp" {
            case "transport=udp": transport = .udp
            case "transport=tcp": transport = .tcp
            default: return nil
            }
            let address = parts[0][parts[0].index(after: colon)...]
            guard let server = Server(address, defaultPort: 3478) else { return nil }
            self.server = server
            self.user = user
            self.password = password
        }

        /// As it is configured.
        package var description: String { "turn:\(server)" + (transport == .tcp ? "?transport=tcp" : "") }
    }

    package var stun: Server?
    package var relays: [Relay] = []
    /// Only through relays, so that viewers do not learn the device's addresses.
    package var relayOnly = false
    /// Where UDP is blocked, TCP may pass.
    package var usesTCP = true
    /// The device's addresses that are offered; empty means all but loopback.
    package var addresses: [String] = []
    /// Of sockets; nil leaves it to the system.
    package var ports: ClosedRange<UInt16>?

    package init() {}
}
