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

    /// As over HTTP.
    package var status: Int {
        switch kind {
        case .malformed: 400
        case .notAllowed: 401
        case .unknownLink: 404
        case .tooManyLinks, .unavailable: 503
        case .failed: 500
        }
    }

    package var code: String {
        switch kind {
        case .malformed: "badRequest"
        case .notAllowed: "ticketRefused"
        case .unknownLink: "notFound"
        case .tooManyLinks: "tooManyLinks"
        case .unavailable: "peersUnavailable"
        case .failed: "failed"
        }
    }

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
