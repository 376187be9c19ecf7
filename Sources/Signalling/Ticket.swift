import Access

/// Lets whoever holds it in, to one device, until a certain time: a JSON Web Token (RFC 7519) that is signed with
/// HMAC-SHA256 (`HS256`, RFC 7518, 3.2), so that any service that shares the device's key can make one.
package struct Ticket: Sendable, Hashable {
    /// Tells tickets apart (`jti`).
    package var id: String
    /// The id of the device that it is for (`aud`).
    package var device: String
    /// When it ends, in seconds since 1970 (`exp`).
    package var expires: Int64
    package var grant: Grant
    package var use: Use
    /// The token that it was made with (`token`), and ends with; see `AccessMemory.Entry.mark`. Nil where a service made it.
    package var holder: String?
    /// Whether it is for everybody who reads it, and not for who uses it first (`shared`).
    package var isShared: Bool

    /// What it is good for (`use`). One for links would be worth something to whoever overhears it, could it stand in an
    /// address as well.
    package enum Use: String, Sendable, Hashable, CaseIterable {
        /// Peer-to-peer links, where nothing is said.
        case link
        /// Addresses of streams and files, and other requests over HTTP.
        case url
    }

    /// Longer texts are not looked at.
    package static let maximumBytes = 2048
    package static let maximumIDBytes = 64
    private static let header = #"{"alg":"HS256","typ":"JWT"}"#

    package init(
        id: String, device: String, expires: Int64, grant: Grant, use: Use = .link, holder: String? = nil,
        isShared: Bool = false
    ) {
        self.id = id
        self.device = device
        self.expires = expires
        self.grant = grant
        self.use = use
        self.holder = holder
        self.isShared = isShared
    }

    /// Signs a text.
    package typealias Signature = @Sendable ([UInt8]) -> [UInt8]

    package func text(_ sign: Signature) -> String {
        var claims: [JSONValue.Member] = [
            .init(key: "jti", value: .text(id)), .init(key: "aud", value: .text(device)),
            .init(key: "exp", value: .number(expires)),
            .init(key: "rights", value: .list(grant.rights.map(\.rawValue).sorted().map { .text($0) })),
        ]
        if use != .link { claims.append(.init(key: "use", value: .text(use.rawValue))) }
        if let holder { claims.append(.init(key: "token", value: .text(holder))) }
        if let channel = grant.channel { claims.append(.init(key: "channel", value: .number(Int64(channel)))) }
        if isShared { claims.append(.init(key: "shared", value: .bool(true))) }
        let signed = Base64URL.encode(Self.header.utf8) + "." + Base64URL.encode(JSONValue.object(claims).text.utf8)
        return signed + "." + Base64URL.encode(sign(Array(signed.utf8)))
    }

    /// Reads nothing but the signature before that is known to fit.
    ///
    /// - Parameters:
    ///   - text: as `text` gives it, or as `XP2P…%…`, which is how viewers get it.
    ///   - signs: it is signed with one of them.
    package init(_ text: some StringProtocol, _ signs: Signature...) throws(TicketRefusal) {
        try self.init(text, signs)
    }

    package init(_ text: some StringProtocol, _ signs: [Signature]) throws(TicketRefusal) {
        guard text.utf8.count <= Self.maximumBytes else { throw .malformed }
        var token = Substring(text)
        if token.hasPrefix("XP2P") { token = token.dropFirst(4) }
        if let percent = token.firstIndex(of: "%") { token = token[..<percent] }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let code = Base64URL.decode(parts[2]) else { throw .malformed }
        let signed = Array(token.utf8.dropLast(parts[2].utf8.count + 1))
        guard signs.contains(where: { ConstantTime.areEqual(code, $0(signed)) }) else { throw .wrongSignature }
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
        // Rights that only later versions know are none here, and nobody looks after the device with a ticket.
        grant = Grant(
            rights: Set(rights.compactMap { $0.word.flatMap(Right.init(rawValue:)) }).intersection(Right.ofViewers))
        switch claims["use"] {
        case nil, .null: use = .link
        case .text(let text)?:
            guard let known = Use(rawValue: text) else { throw .otherUse }
            use = known
        default: throw .malformed
        }
        switch claims["token"] {
        case nil, .null: break
        case .text(let mark)?: holder = mark
        default: throw .malformed
        }
        switch claims["channel"] {
        case nil, .null: break
        case .number(let channel) where (0...Int64(UInt16.max)).contains(channel): grant.channel = Int(channel)
        default: throw .malformed
        }
        self.id = id
        self.device = device
        self.expires = expires
        isShared = claims["shared"] == .bool(true)
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
    case otherUse = "it is for something else"
    case withdrawn = "the token that it was made with is gone"
    case replayed = "it was used before"
    case tooMany = "too many are in use"

    /// Whether somebody may be trying out what is taken.
    package var isGuess: Bool {
        switch self {
        case .malformed, .wrongSignature: true
        case .missing, .otherDevice, .expired, .tooLong, .otherUse, .withdrawn, .replayed, .tooMany: false
        }
    }
}
