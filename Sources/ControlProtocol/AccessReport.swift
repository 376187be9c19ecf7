/// The answer to `GET /api/v1/access`: who may come in, and how.
package struct AccessReport: Codable, Sendable, Hashable {
    package var entrance: EntranceReport
    package var tokens: [TokenReport]
    /// Whether there are first tokens that nobody has been shown yet.
    package var hasUnseen: Bool

    package init(entrance: EntranceReport, tokens: [TokenReport], hasUnseen: Bool) {
        self.entrance = entrance
        self.tokens = tokens
        self.hasUnseen = hasUnseen
    }
}

/// Where viewers come in.
package struct EntranceReport: Codable, Sendable, Hashable {
    /// Nobody needs a token who reaches the address.
    package var isOpen: Bool
    /// Only this machine reaches it.
    package var isLoopback: Bool
    /// Of the page, such as http://192.0.2.7:8080/; those that others reach come first.
    package var addresses: [String]
    /// SHA-256 of the certificate, as AA:BB:…; nil without TLS.
    package var fingerprint: String?
    /// When the certificate is good, seconds since 1970; nil without TLS.
    package var validFrom: Int64?
    package var validUntil: Int64?
    /// Why the certificate that the files hold now is not in use.
    package var problem: String?

    package init(
        isOpen: Bool, isLoopback: Bool, addresses: [String], fingerprint: String? = nil, validFrom: Int64? = nil,
        validUntil: Int64? = nil, problem: String? = nil
    ) {
        self.isOpen = isOpen
        self.isLoopback = isLoopback
        self.addresses = addresses
        self.fingerprint = fingerprint
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.problem = problem
    }
}

/// A long-lived token, but for its secret, which the device does not know.
package struct TokenReport: Codable, Sendable, Hashable {
    package var name: String
    package var rights: [String]
    /// The only channel that it is for; nil for all.
    package var channel: Int?
    /// Seconds since 1970, these three.
    package var made: Int64
    package var expires: Int64?
    package var lastUsed: Int64?

    package init(
        name: String, rights: [String], channel: Int?, made: Int64, expires: Int64? = nil, lastUsed: Int64? = nil
    ) {
        self.name = name
        self.rights = rights
        self.channel = channel
        self.made = made
        self.expires = expires
        self.lastUsed = lastUsed
    }
}

/// A token that is to be made.
package struct TokenOrder: Codable, Sendable, Hashable {
    package var name: String
    /// Nil for those of one who watches.
    package var rights: [String]?
    package var channel: Int?
    /// How long it holds; nil for ever.
    package var seconds: Int64?

    package init(name: String, rights: [String]? = nil, channel: Int? = nil, seconds: Int64? = nil) {
        self.name = name
        self.rights = rights
        self.channel = channel
        self.seconds = seconds
    }
}

/// A token with its secret, shown this once.
package struct NewTokenReport: Codable, Sendable, Hashable {
    package var name: String
    package var token: String

    package init(name: String, token: String) {
        self.name = name
        self.token = token
    }
}

/// The body of `POST /api/v1/access/show`.
package struct ShowOrder: Codable, Sendable, Hashable {
    /// They can be shown again.
    package var keep: Bool

    package init(keep: Bool) { self.keep = keep }
}

/// Something that can be asked for, and the right that it takes; "any" for any token, "nothing" for none.
package struct OperationReport: Codable, Sendable, Hashable {
    package var operation: String
    package var right: String

    package init(operation: String, right: String) {
        self.operation = operation
        self.right = right
    }
}
