import NIOHTTP1
import Signalling

/// What a request over HTTP shows of itself: `Authorization: Bearer …` (RFC 6750), or for what cannot send fields a
/// ticket in the address, as `access_token=` or `ticket=`.
package struct Credential: Sendable, Hashable {
    package enum Place: Sendable, Hashable { case field, address }

    package let text: String
    package let place: Place

    /// Nil where there is none. Of several the field counts.
    package init?(_ request: HTTPRequest) {
        if let text = Self.bearer(request.head.headers) {
            (self.text, place) = (text, .field)
            return
        }
        // Without the mark nothing of it need be read.
        guard request.query.contains("ticket=") || request.query.contains("access_token="),
            let query = try? RequestQuery(request.query), let text = query["access_token"] ?? query["ticket"],
            !text.isEmpty
        else { return nil }
        (self.text, place) = (text, .address)
    }

    package static func bearer(_ headers: HTTPHeaders) -> String? {
        let words = (headers.first(name: "Authorization") ?? "").split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    /// Tickets have parts; tokens have none.
    package var isTicket: Bool { text.contains(".") }
}
