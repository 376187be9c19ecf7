import NIOCore

/// How messages of text reach a listener.
enum MessageFraming: Sendable {
    /// HTML standard, "Server-sent events".
    case serverSentEvents
    /// One text message each (RFC 6455).
    case webSocket

    /// A text on one line.
    func message(_ text: String) -> [UInt8] {
        switch self {
        case .serverSentEvents: return Array("data: \(text)\n\n".utf8)
        case .webSocket:
            var buffer = ByteBuffer()
            WebSocketWriter.writeHeader(opcode: WebSocketWriter.text, payload: text.utf8.count, to: &buffer)
            buffer.writeString(text)
            return Array(buffer.readableBytesView)
        }
    }

    /// Keeps the connection alive, and finds those that are gone.
    var heartbeat: ByteBuffer {
        switch self {
        case .serverSentEvents: ByteBuffer(string: ":\n\n")
        case .webSocket: WebSocketWriter.control(opcode: WebSocketWriter.ping, payload: ByteBuffer())
        }
    }

    var farewell: ByteBuffer {
        switch self {
        case .serverSentEvents: ByteBuffer()
        case .webSocket: WebSocketWriter.close(.goingAway, reason: "the agent stops")
        }
    }
}
