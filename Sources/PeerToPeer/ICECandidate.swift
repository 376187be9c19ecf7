import Glibc

/// An address at which a peer can perhaps be reached (RFC 8839, 5.1), as a value that was looked at.
package struct ICECandidate: Sendable, Hashable {
    package enum Transport: String, Sendable, Hashable { case udp, tcp }
    package enum Kind: String, Sendable, Hashable {
        case host, relay
        case serverReflexive = "srflx"
        case peerReflexive = "prflx"
    }
    package enum TCPRole: String, Sendable, Hashable {
        case active, passive
        case simultaneous = "so"
    }

    package let foundation: String
    package let transport: Transport
    package let priority: UInt32
    /// An IPv4 or IPv6 address; never a name.
    package let address: String
    package let port: UInt16
    package let kind: Kind
    package let tcpRole: TCPRole?

    /// Longer lines are not read.
    package static let maximumBytes = 512
    private static let maximumFoundationBytes = 32

    /// Nil where it is nothing that this device could try: a name in place of an address (browsers hide theirs behind
    /// mDNS names; their checks reach the device all the same), another component, a transport that nobody knows.
    ///
    /// - Parameter text: with or without `a=` and `candidate:` in front.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var text = Substring(text)
        for prefix in ["a=", "candidate:"] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
        let words = text.split(separator: " ")
        guard words.count >= 8, words[6] == "typ", words[1] == "1" else { return nil }
        guard words[0].utf8.count <= Self.maximumFoundationBytes, words[0].utf8.allSatisfy(\.isICECharacter),
            let transport = Transport(rawValue: words[2].lowercased()), let priority = UInt32(words[3]),
            Self.isAddress(words[4]), let port = UInt16(words[5]), let kind = Kind(rawValue: words[7].lowercased())
        else { return nil }
        var extensions: [Substring: Substring] = [:]
        for index in stride(from: 8, to: words.count - 1, by: 2) { extensions[words[index]] = words[index + 1] }
        let role = extensions["tcptype"].flatMap { TCPRole(rawValue: $0.lowercased()) }
        guard (transport == .tcp) == (role != nil) else { return nil }
        foundation = String(words[0])
        self.transport = transport
        self.priority = priority
        address = String(words[4])
        self.port = port
        self.kind = kind
        tcpRole = role
    }

    /// As it stands behind `a=`.
    package var line: String {
        var line = "candidate:\(foundation) 1 \(transport.rawValue) \(priority) \(address) \(port) typ \(kind.rawValue)"
        // Where it was seen from is nobody's business, but the grammar wants something.
        if kind != .host { line += address.contains(":") ? " raddr :: rport 0" : " raddr 0.0.0.0 rport 0" }
        if let tcpRole { line += " tcptype \(tcpRole.rawValue)" }
        return line
    }

    /// Whether it holds on one link only; by which of its interfaces, a browser cannot be told.
    var isLinkLocal: Bool { address.hasPrefix("169.254.") || address.lowercased().hasPrefix("fe80:") }

    package static func isAddress(_ text: some StringProtocol) -> Bool {
        // C would read no further than to a zero byte.
        guard !text.utf8.contains(0) else { return false }
        var bytes = in6_addr()
        return inet_pton(AF_INET, String(text), &bytes) == 1 || inet_pton(AF_INET6, String(text), &bytes) == 1
    }
}

extension UInt8 {
    /// Letters, digits, `+` and `/` (RFC 8839, 5.1).
    var isICECharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
