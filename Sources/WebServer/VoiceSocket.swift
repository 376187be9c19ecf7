import ControlProtocol
import NIOCore
import NIOWebSocket
import Talkback

/// A WebSocket whose binary messages, joined, are the body of `POST /voice`: browsers cannot send a request's body as it
/// comes. The text message `{"state":"open"}` says that the speaker is open, `{"cause":…,"talk":…}` how it went. Who may
/// not talk is told so in the closing frame, code 4403, since a browser shows its pages nothing of a refused handshake.
final class VoiceSocket: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    /// Longer frames are refused: half a second of the finest sound.
    static let maximumFrameBytes = 64 << 10
    /// How long the other side may take to say goodbye.
    static let farewell = TimeAmount.seconds(2)

    private let start: VoiceStart
    private var intake: VoiceIntake?
    private var reader = WebSocketReader(maximumFrameBytes: VoiceSocket.maximumFrameBytes)
    private var deadline: Scheduled<Void>?
    private var isClosing = false

    init(_ start: VoiceStart) { self.start = start }

    /// Once the answer to the handshake is on its way.
    func begin(_ context: ChannelHandlerContext) {
        switch start {
        case .refused: close(.refused, "not allowed", context)
        case .talk(let slot, let holder, let seat, let pcmRate):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            intake = VoiceIntake(
                slot, by: holder, seat: seat, pcmRate: pcmRate, source: HTTPConnection.name(of: context.channel),
                on: context.eventLoop
            ) { event in bound.value.0.happened(event, bound.value.1) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch reader.take(unwrapInboundIn(data)) {
        case .none, .alive: break
        case .data(let bytes): intake?.take(bytes)
        case .pong(let payload):
            guard context.channel.isWritable else { break }
            write(WebSocketWriter.control(opcode: WebSocketWriter.pong, payload: payload), context)
        case .close(let code):
            intake?.finish()
            close(with: WebSocketWriter.control(opcode: WebSocketWriter.close, payload: code), context)
        case .fail(let code, let reason): close(code, reason, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? NIOWebSocketError, !isClosing else { return context.close(promise: nil) }
        close(error == .invalidFrameLength ? .tooLong : .protocolError, "", context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerShutdown else { return context.fireUserInboundEventTriggered(event) }
        close(.goingAway, "the agent stops", context)
    }

    private func stop() {
        intake?.leave()
        intake = nil
        deadline?.cancel()
        deadline = nil
    }

    private func happened(_ event: VoiceIntake.Event, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, !isClosing else { return }
        switch event {
        case .opened: say(["state": "open"], context)
        case .refused(let refusal): close(.refused, "\(refusal)", context)
        case .ended(let report):
            say(report, context)
            close(.talkEnded, report.cause, context)
        }
    }

    private func say(_ message: some Encodable, _ context: ChannelHandlerContext) {
        let text = ControlCoding.encode(message)
        var frame = ByteBuffer()
        WebSocketWriter.writeHeader(opcode: WebSocketWriter.text, payload: text.count, to: &frame)
        frame.writeBytes(text)
        write(frame, context)
    }

    private func close(_ code: WebSocketCloseCode, _ reason: String, _ context: ChannelHandlerContext) {
        close(with: WebSocketWriter.close(code, reason: reason), context)
    }

    private func close(with frame: ByteBuffer, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        write(frame, context)
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { context.close(promise: nil) }
        // The side that closes first waits for the other (RFC 6455, 7.1.1); that one, or its silence, ends it.
        context.channel.close(mode: .output, promise: nil)
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}
