import NIOCore
import NIOWebSocket

/// What the other side of a WebSocket says: pongs and goodbye, and for those who take it, data. What is not asked for is
/// checked, counted and let go; nothing is kept. Frames in, actions out; no I/O.
package struct WebSocketReader: Sendable {
    /// Longer frames of those who only watch are refused before they are read.
    package static let maximumFrameBytes = 4096
    /// Messages in more pieces are refused, unless they are data.
    package static let maximumFragments = 64

    package enum Action: Sendable, Equatable {
        case none
        /// A piece of a binary message.
        case data(ByteBuffer)
        /// A pong with this payload is due.
        case pong(ByteBuffer)
        /// The viewer is alive.
        case alive
        /// The viewer closes; this is the answer it is owed.
        case close(ByteBuffer)
        case fail(WebSocketCloseCode, String)
    }

    private let maximumFrameBytes: Int
    private let takesData: Bool
    private var fragments = 0
    private var isData = false

    /// For one who only watches.
    package init() {
        maximumFrameBytes = Self.maximumFrameBytes
        takesData = false
    }

    /// For one who sends data.
    package init(maximumFrameBytes: Int) {
        self.maximumFrameBytes = maximumFrameBytes
        takesData = true
    }

    package mutating func take(_ frame: WebSocketFrame) -> Action {
        guard frame.maskKey != nil else { return .fail(.protocolError, "frames to a server are masked") }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .fail(.protocolError, "no extension is in use") }
        guard frame.length <= maximumFrameBytes else { return .fail(.tooLong, "frame too long") }
        switch frame.opcode {
        case .ping: return .pong(frame.unmaskedData)
        case .pong: return .alive
        case .connectionClose:
            let payload = frame.unmaskedData
            guard payload.readableBytes != 1 else { return .fail(.protocolError, "half a close code") }
            let code = payload.getSlice(at: payload.readerIndex, length: min(2, payload.readableBytes))
            return .close(code ?? ByteBuffer())
        case .text, .binary:
            guard fragments == 0 else { return .fail(.protocolError, "a message inside a message") }
            fragments = frame.fin ? 0 : 1
            isData = takesData && frame.opcode == .binary
            return isData ? .data(frame.unmaskedData) : .none
        case .continuation:
            guard fragments > 0 else { return .fail(.protocolError, "nothing to continue") }
            guard isData || fragments < Self.maximumFragments else { return .fail(.tooLong, "too many fragments") }
            fragments = frame.fin ? 0 : fragments + 1
            return isData ? .data(frame.unmaskedData) : .none
        default: return .fail(.protocolError, "unknown opcode")
        }
    }
}
