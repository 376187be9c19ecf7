import NIOCore
import NIOHTTP1
import PeerToPeer
import Signalling

/// A data channel's label, which is a request: `GET ipc.flv?action=live&channel=0`, `COMMAND action=inner_define&…`,
/// `VOICE channel=0`.
package struct PeerRequestLabel: Sendable, Hashable {
    package enum Method: String, Sendable, Hashable {
        case get = "GET"
        case command = "COMMAND"
        case voice = "VOICE"
    }

    package let method: Method
    /// What follows the method: a path and a query, a command, a query.
    package let text: String

    /// The paths that peers may ask for; others are for those who come over HTTP.
    private static let paths: Set<Substring> = ["/ipc.flv", "/feedback"]

    package init?(_ label: String) {
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

    /// What is none of a grant's rights is for the router to refuse, and the device's messages are for everybody.
    package func isAllowed(by grant: PeerGrant) -> Bool {
        guard let (right, query) = wanted else { return true }
        // A channel that is no number names none; it is refused here where only one is allowed.
        guard let channel = try? query.channel({ _ in true }) else {
            return grant.rights.contains(right) && grant.channel == nil
        }
        return grant.allows(right, channel: channel)
    }

    private var wanted: (PeerGrant.Right, RequestQuery)? {
        switch method {
        case .voice: return (try? RequestQuery(text)).map { (.talk, $0) }
        case .command:
            guard let command = try? CommandText(text) else { return nil }
            return (command.action == .inner ? .command : .control, command.query)
        case .get:
            guard let mark = text.firstIndex(of: "?"), let query = try? RequestQuery(text[mark...]),
                let action = query["action"]?.lowercased()
            else { return nil }
            let right: PeerGrant.Right? =
                switch action.prefix(while: { $0 != "-" }) {
                case "live": .live
                case "playback": .playback
                case "download": .download
                default: nil
                }
            return right.map { ($0, query) }
        }
    }

    /// The same as a request over HTTP.
    package func request(from visitor: VisitorID) -> HTTPRequest {
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
