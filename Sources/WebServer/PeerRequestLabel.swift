import NIOCore
import NIOHTTP1
import Access
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

    /// The same as a request over HTTP.
    ///
    /// - Parameter grant: what the link's viewer may do.
    package func request(from visitor: VisitorID, with grant: Grant) -> HTTPRequest {
        func request(_ method: HTTPMethod, _ target: String, _ body: ByteBuffer = ByteBuffer()) -> HTTPRequest {
            HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: method, uri: target), body: body,
                caller: .peer(grant), visitor: visitor)
        }
        return switch method {
        case .get: request(.GET, text)
        case .command: request(.POST, "/command", ByteBuffer(string: text))
        case .voice: request(.POST, "/voice?" + text)
        }
    }
}
