import NIOCore
import NIOHTTP1
import Signalling

/// A data channel's label, which is a request: `GET ipc.flv?action=live&channel=0`, `COMMAND action=inner_define&…`,
/// `VOICE channel=0`.
struct PeerRequestLabel: Sendable, Hashable {
    enum Method: String, Sendable, Hashable {
        case get = "GET"
        case command = "COMMAND"
        case voice = "VOICE"
    }

    let method: Method
    /// What follows the method: a path and a query, a command, a query.
    let text: String

    /// The paths that peers may ask for; others are for those who come over HTTP.
    private static let paths: Set<Substring> = ["/ipc.flv", "/feedback"]

    init?(_ label: String) {
        let space = label.firstIndex(of: " ") ?? label.endIndex
        guard let method = Method(rawValue: label[..<space].uppercased()) else { return nil }
        var text = label[space...].drop { $0 == " " }
        if method == .get {
            if !text.hasPrefix("/") { text = "/" + text }
            guard Self.paths.contains(text.prefix { $0 != "?" }) else { return nil }
        } else if text.hasPrefix("?") {
            text = text.dropFirst()
        }
        self.method = method
        self.text = String(text)
    }

    /// The same as a request over HTTP.
    func request(from visitor: VisitorID) -> HTTPRequest {
        let headers: HTTPHeaders = ["X-Visitor": visitor.description]
        switch method {
        case .get:
            return HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: .GET, uri: text, headers: headers),
                body: ByteBuffer())
        case .command:
            return HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: .POST, uri: "/command", headers: headers),
                body: ByteBuffer(string: text))
        case .voice:
            return HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: .POST, uri: "/voice?" + text, headers: headers),
                body: ByteBuffer())
        }
    }
}
