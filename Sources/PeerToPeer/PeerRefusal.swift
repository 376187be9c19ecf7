/// Why an offer, or what came after it, is not taken.
package struct PeerRefusal: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// It cannot be read, or does not fit.
        case malformed
        /// Who sent it may not connect.
        case notAllowed
        case unknownLink
        case tooManyLinks
        /// The device has not what it takes.
        case unavailable
        /// The device could not do it.
        case failed
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
