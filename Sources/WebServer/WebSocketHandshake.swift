import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The server's part of the opening handshake (RFC 6455, 4.2).
enum WebSocketHandshake {
    /// The 101 answer, or nil where the request is not a proper handshake of version 13. On the channel's event loop.
    static func answer(to request: HTTPRequest, on channel: any Channel) -> HTTPAnswer? {
        guard request.method == .GET, let key = request.head.headers.first(name: "Sec-WebSocket-Key"),
            key.utf8.count == 24
        else { return nil }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        var fields: HTTPHeaders?
        // Nothing in it waits, so the result is there at once.
        upgrader.buildUpgradeResponse(channel: channel, upgradeRequest: request.head, initialResponseHeaders: [:])
            .assumeIsolated().whenSuccess { fields = $0 }
        guard let fields else { return nil }
        var answer = HTTPAnswer(status: 101, headers: fields.map { ($0.name, $0.value) })
        if let wanted = request.head.headers[canonicalForm: "Sec-WebSocket-Protocol"].first, isToken(wanted) {
            answer.headers.append(("Sec-WebSocket-Protocol", String(wanted)))
        }
        return answer
    }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
    }
}
