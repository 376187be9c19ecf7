/// The address of a media service, and the key it takes there.
///
/// `rtmp[s]://[user:password@]host[:port]/app[/instance]/key[?query]`, or `http[s]://…/path[?query]`. Everything up to
/// the last slash is the application, the rest with the query is the key; nothing of it is percent-decoded. Media ports
/// of fleet platforms: see `JT1078Stream`.
package struct PushTarget: Sendable, Hashable {
    package enum Scheme: String, Sendable, Hashable {
        case rtmp, rtmps, http, https
        case jt1078
        case jt1078UDP = "jt1078+udp"

        package var isSecure: Bool { self == .rtmps || self == .https }
        package var isRTMP: Bool { self == .rtmp || self == .rtmps }
        package var isHTTP: Bool { self == .http || self == .https }
        package var isJT1078: Bool { self == .jt1078 || self == .jt1078UDP }

        package var defaultPort: Int {
            switch self {
            case .rtmp: 1935
            case .http: 80
            case .rtmps, .https: 443
            case .jt1078, .jt1078UDP: 1078
            }
        }
    }

    package enum ParseError: Error, Hashable, CustomStringConvertible {
        case tooLong
        case badCharacter
        case unknownScheme(String)
        case noHost
        case badHost
        case badPort(String)
        case noApplication
        case noKey
        case badTerminal

        package var description: String {
            switch self {
            case .tooLong: "the target is longer than \(PushTarget.maximumLength) bytes"
            case .badCharacter: "the target has a space or a control character in it; write %20 or leave it out"
            case .unknownScheme(let text):
                "a target starts with rtmp://, rtmps://, http://, https:// or jt1078://, not “\(text)”"
            case .noHost: "the target names no host, as in rtmp://media.example/app/key"
            case .badHost: "the target's host is neither a name, an IPv4 address, nor an IPv6 address in brackets"
            case .badPort(let text): "the target's port “\(text)” is not a number from 1 to 65535"
            case .noApplication: "the target names no application, as in rtmp://media.example/app/key"
            case .badTerminal:
                "a jt1078 target goes on with SIM and channel, as in jt1078://host:1078/13800138000/1?sim=6&audio=aac"
            case .noKey: "the target ends without a stream key, as in rtmp://media.example/app/key"
            }
        }
    }

    /// Longer ones are refused; services allow less.
    package static let maximumLength = 2048

    package let scheme: Scheme
    /// Without brackets.
    package let host: String
    package let port: Int
    package let hasExplicitPort: Bool
    /// Percent-decoded.
    package let user: String?
    package let password: String?
    /// From the first slash, without the query.
    package let path: String
    /// Without the question mark.
    package let query: String?
    /// The whole, as it was given; holds secrets.
    package let url: String
    /// Of the schemes `jt1078` and `jt1078+udp`.
    package let jt1078: JT1078Stream?

    package init(_ text: String) throws(ParseError) {
        guard text.utf8.count <= Self.maximumLength else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw .badCharacter }
        guard let colon = text.firstRange(of: "://") else { throw .unknownScheme(String(text.prefix(16))) }
        let schemeText = text[..<colon.lowerBound].lowercased()
        guard let scheme = Scheme(rawValue: schemeText) else { throw .unknownScheme(String(schemeText.prefix(16))) }

        var rest = text[colon.upperBound...]
        if let fragment = rest.firstIndex(of: "#"), !scheme.isRTMP { rest = rest[..<fragment] }
        var query: String?
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = String(rest[slash...])
        var authority = rest[..<slash]
        var credentials: Substring?
        if let at = authority.lastIndex(of: "@") {
            credentials = authority[..<at]
            authority = authority[authority.index(after: at)...]
        }
        (host, hasExplicitPort, port) = try Self.parse(authority: authority, scheme: scheme)

        if let credentials {
            let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = Self.percentDecoded(parts[0])
            password = parts.count > 1 ? Self.percentDecoded(parts[1]) : ""
        } else {
            user = nil
            password = nil
        }
        self.scheme = scheme
        self.path = path
        self.query = query
        url = text
        jt1078 = scheme.isJT1078 ? JT1078Stream(path: path, query: query) : nil
        if scheme.isJT1078 {
            guard jt1078 != nil else { throw .badTerminal }
        } else if scheme.isRTMP {
            guard !application.isEmpty else { throw path.count > 1 ? .noKey : .noApplication }
            guard !path.hasSuffix("/") else { throw .noKey }
        } else {
            guard path.count > 1 else { throw .noKey }
        }
    }

    /// A platform's media port. Nil where the host is none.
    package init?(jt1078 stream: JT1078Stream, host: String, port: Int, isDatagram: Bool) {
        let scheme: Scheme = isDatagram ? .jt1078UDP : .jt1078
        let host = host.contains(":") ? "[\(host)]" : host
        try? self.init("\(scheme.rawValue)://\(host):\(port)\(stream.path)")
    }

    private static func parse(
        authority: Substring, scheme: Scheme
    ) throws(ParseError) -> (String, Bool, Int) {
        let host: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .badHost }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw .badHost }
            portText = rest.isEmpty ? nil : rest.dropFirst()
            guard host.contains(":"), host.utf8.allSatisfy(isAddressByte) else { throw .badHost }
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw .badHost }
            host = parts[0]
            portText = parts.count > 1 ? parts[1] : nil
            guard !host.isEmpty else { throw .noHost }
            guard host.utf8.allSatisfy(isNameByte) else { throw .badHost }
        }
        guard let portText else { return (String(host), false, scheme.defaultPort) }
        guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = Int(portText),
            (1...65535).contains(port)
        else { throw .badPort(String(portText.prefix(16))) }
        return (String(host), true, port)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: byte >= 0x80
        }
    }

    /// IPv6 with an embedded IPv4 address or a zone.
    private static func isAddressByte(_ byte: UInt8) -> Bool { isNameByte(byte) || byte == 0x3A || byte == 0x25 }

    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var left = text.utf8[...]
        while let byte = left.popFirst() {
            if byte == 0x25, let value = UInt8(String(left.prefix(2)) ?? "", radix: 16), left.count >= 2 {
                bytes.append(value)
                left.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: What goes on the wire

    /// Host and, where given, port, as URLs and the HTTP field `Host` write them.
    package var authority: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return hasExplicitPort ? "\(host):\(port)" : host
    }

    /// RTMP: application and instance.
    package var application: String {
        guard let last = path.lastIndex(of: "/"), last != path.startIndex else { return "" }
        return String(path[path.index(after: path.startIndex)..<last])
    }

    /// RTMP: the stream's name with the query that services look for a token in.
    package var key: String {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? ""
        return query.map { "\(name)?\($0)" } ?? String(name)
    }

    /// RTMP: `tcUrl`, which has no stream name in it.
    package func tcURL(withQuery: Bool) -> String {
        let base = "\(scheme.rawValue)://\(authority)/\(application)"
        guard withQuery, let query else { return base }
        return "\(base)?\(query)"
    }

    /// HTTP: the request target.
    package var requestTarget: String { query.map { "\(path)?\($0)" } ?? path }

    /// For logs and status: no user, no key, no query.
    package var redacted: String {
        let parent = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return "\(scheme.rawValue)://\(authority)\(parent)…"
    }
}
