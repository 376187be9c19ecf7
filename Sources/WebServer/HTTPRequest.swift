import NIOCore
import NIOHTTP1
import Signalling

/// A whole request, body included.
package struct HTTPRequest: Sendable {
    package let head: HTTPRequestHead
    package let body: ByteBuffer
    /// The path as sent, without the query. Nothing here maps to files, so it is compared and never decoded.
    package let path: Substring
    /// Behind the `?`; empty where there is none.
    package let query: Substring
    package let caller: Caller
    /// Who asks, where the transport knows it; what the request says of that is not looked at then.
    package let visitor: VisitorID?

    package init(head: HTTPRequestHead, body: ByteBuffer, caller: Caller, visitor: VisitorID? = nil) {
        self.caller = caller
        self.head = head
        self.body = body
        self.visitor = visitor
        // A request through a proxy names scheme and host as well (RFC 9112, 3.2.2).
        var target = head.uri[...]
        if !target.hasPrefix("/"), let scheme = target.range(of: "://") {
            let rest = target[scheme.upperBound...]
            target = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        path = target[..<mark]
        query = mark == target.endIndex ? "" : target[target.index(after: mark)...]
    }

    package var method: HTTPMethod { head.method }
    package var origin: String? { head.headers.first(name: "Origin") }
    package var host: String? { head.headers.first(name: "Host") }

    /// A browser names no origin where another site's page merely shows what it takes for a picture; newer ones say at
    /// least that it was such a page (Fetch Metadata Request Headers).
    var isFromOtherSite: Bool { head.headers.first(name: "Sec-Fetch-Site") == "cross-site" }

    /// HTTP/1.0 does not.
    package var knowsChunks: Bool { head.version.major == 1 && head.version.minor >= 1 }

    /// Whether the client wants another protocol on this connection, whichever.
    package var wantsUpgrade: Bool {
        head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
            && head.headers.contains(name: "Upgrade")
    }

    package var wantsWebSocket: Bool {
        wantsUpgrade && head.headers[canonicalForm: "Upgrade"].contains { $0.lowercased() == "websocket" }
    }
}

extension Substring {
    /// The first place where `text` stands.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
