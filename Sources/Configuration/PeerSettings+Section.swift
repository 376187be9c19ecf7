import Access
import PeerToPeer

extension PeerSettings {
    /// The section "peers".
    init(_ section: SectionReader) {
        self.init()
        maximumLinks = section.integer("limit", 1...1000) ?? maximumLinks
        ticketKey = section.ticketKey()
        ice.stun = section.server("stun", defaultPort: 3478)
        ice.relays = section.relays()
        ice.relayOnly = section.bool("relayOnly") ?? ice.relayOnly
        ice.usesTCP = section.bool("tcp") ?? ice.usesTCP
        ice.addresses = section.addresses()
        ice.ports = section.ports()
    }
}

extension SectionReader {
    fileprivate func server(_ key: String, defaultPort: UInt16) -> ICESettings.Server? {
        guard let text = text(key, maximumLength: 255), let node = node(key) else { return nil }
        guard let server = ICESettings.Server(text, defaultPort: defaultPort) else {
            mistake(at: node, "\(path).\(key) must be a host, or a host and a port, not \"\(text)\"")
            return nil
        }
        return server
    }

    fileprivate func relays() -> [ICESettings.Relay] {
        let user = text("relayUser", maximumLength: 255) ?? ""
        let password = secret("relayPassword", maximumLength: 255) ?? Secret("")
        return (texts("relays", maximum: 8) ?? []).compactMap { text in
            if let relay = ICESettings.Relay(text, user: user, password: password) { return relay }
            if let node = node("relays") {
                mistake(
                    at: node, "\(path).relays: \"\(text)\" is no address of a relay",
                    hint: "write turn:HOST:PORT or turn:HOST:PORT?transport=tcp; TLS to relays is not spoken")
            }
            return nil
        }
    }

    fileprivate func ticketKey() -> Secret? {
        guard let key = text("ticketKey", maximumLength: 256), let node = node("ticketKey") else { return nil }
        if key.utf8.count < PeerSettings.minimumKeyBytes {
            mistake(
                at: node, "\(path).ticketKey has fewer than \(PeerSettings.minimumKeyBytes) characters",
                hint: "openssl rand -hex 32 makes a good one")
        }
        return Secret(key)
    }

    fileprivate func addresses() -> [String] {
        (texts("addresses", maximum: 16) ?? []).filter { address in
            if ICECandidate.isAddress(address) { return true }
            if let node = node("addresses") {
                mistake(at: node, "\(path).addresses: \"\(address)\" is no IPv4 or IPv6 address")
            }
            return false
        }
    }

    fileprivate func ports() -> ClosedRange<UInt16>? {
        guard let text = text("ports", maximumLength: 11), let node = node("ports") else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 1024, first <= last else {
            mistake(at: node, "\(path).ports must be a range such as 40000-40100, from 1024 on, not \"\(text)\"")
            return nil
        }
        return first...last
    }
}
