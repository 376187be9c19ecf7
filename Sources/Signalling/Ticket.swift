import PeerToPeer

/// Lets whoever holds it connect to one device, until a certain time: a JSON Web Token (RFC 7519) that is signed with
/// HMAC-SHA256 (`HS256`, RFC 7518, 3.2), so that any service that shares the device's key can make one.
package struct Ticket: Sendable, Hashable {
    /// Tells tickets apart (`jti`).
    package var id: String
    /// The id of the device that it is for (`aud`).
    package var device: String
    /// When it ends, in seconds since 1970 (`exp`).
    package var expires: Int64
    package var grant: PeerGrant

    /// Longer texts are not looked at.
    package static let maximumBytes = 2048
    package static let maximumIDBytes = 64
    private static let header = #"{"alg":"HS256","typ":"JWT"}"#

    package init(id: String, device: String, expires: Int64, grant: PeerGrant) {
        self.id = id
        self.device = device
        self.expires = expires
        self.grant = grant
    }

    /// Signs a text.
    package typealias Signature = @Sendable ([UInt8]) -> [UInt8]

    package func text(_ sign: Signature) -> String {
        var claims: [JSONValue.Member] = [
            .init(key: "jti", value: .text(id)), .init(key: "aud", value: .text(device)),
            .init(key: "exp", value: .number(expires)),
            .init(key: "rights", value: .list(grant.rights.map(\.rawValue).sorted().map { .text($0) })),
        ]
        if let channel = grant.channel { claims.append(.init(key: "channel", value: .number(Int64(channel)))) }
        let signed = Base64URL.encode(Self.header.utf8) + "." + Base64URL.encode(JSONValue.object(claims).text.utf8)
        return signed + "." + Base64URL.encode(sign(Array(signed.utf8)))
    }

    /// Reads nothing but the signature before that is known to fit.
    ///
    /// - Parameter text: as `text` gives it, or as `XP2P…%…`, which is how viewers get it.
    package init(_ text: some StringProtocol, _ sign: Signature) throws(TicketRefusal) {
        guard text.utf8.count <= Self.maximumBytes else { throw .malformed }
        var token = Substring(text)
        if token.hasPrefix("XP2P") { token = token.dropFirst(4) }
        if let percent = token.firstIndex(of: "%") { token = token[..<percent] }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let code = Base64URL.decode(parts[2]) else { throw .malformed }
        let expected = sign(Array(token.utf8.dropLast(parts[2].utf8.count + 1)))
        guard Self.areEqual(code, expected) else { throw .wrongSignature }
        guard let header = Base64URL.decode(parts[0]).flatMap({ JSONReader.read($0) }),
            header["alg"]?.word == "HS256", let claims = Base64URL.decode(parts[1]).flatMap({ JSONReader.read($0) })
        else { throw .malformed }
        try self.init(claims: claims)
    }

    private init(claims: JSONValue) throws(TicketRefusal) {
        guard case .text(let id)? = claims["jti"], (1...Self.maximumIDBytes).contains(id.utf8.count),
            case .text(let device)? = claims["aud"], case .number(let expires)? = claims["exp"],
            case .list(let rights)? = claims["rights"]
        else { throw .malformed }
        // Rights that only later versions know are none here.
        grant = PeerGrant(rights: Set(rights.compactMap { $0.word.flatMap(PeerGrant.Right.init(rawValue:)) }))
        switch claims["channel"] {
        case nil, .null: break
        case .number(let channel) where (0...Int64(UInt16.max)).contains(channel): grant.channel = Int(channel)
        default: throw .malformed
        }
        self.id = id
        self.device = device
        self.expires = expires
    }

    /// In a time that does not tell where they differ.
    private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count, !a.isEmpty else { return false }
        return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Why a ticket is not taken. For the log: who brought it hears only that it is not valid.
package enum TicketRefusal: String, Error, Sendable, Hashable, CaseIterable {
    case missing = "there is none"
    case malformed = "it cannot be read"
    case wrongSignature = "it is signed with another key"
    case otherDevice = "it is for another device"
    case expired = "it has expired"
    case tooLong = "it holds for longer than any may"
    case replayed = "it was used before"
    case tooMany = "too many are in use"
}
