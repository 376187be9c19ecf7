import NIOCore
import NIOWebSocket

/// A connection on which messages are told as they come: events of the control API, feedback to a viewer.
///
/// The next message is taken when the last one has left for the kernel, so a slow listener holds one message here; what
/// waits for it is bounded where the messages come from.
final class MessageStream<Message: Sendable>: ChannelInboundHandler {
    // Of server-sent events nothing that comes in is looked at, so it is never unwrapped.
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    /// Who takes nothing, or leaves a ping unanswered, between two of these is gone.
    static var heartbeat: TimeAmount { .seconds(15) }

    let framing: MessageFraming
    private let head: ByteBuffer
    private let open: @Sendable () async -> AsyncStream<Message>
    private let encode: @Sendable (Message) -> [UInt8]
    private let onEnd: () -> Void
    private var teller: Task<Void, Never>?
    private var beat: RepeatedTask?
    private var buffered = 0
    private var reader = WebSocketReader()
    private var isPinged = false
    private var hasEnded = false

    /// - Parameters:
    ///   - head: of the response.
    ///   - open: the messages from now on; bounded.
    ///   - onEnd: called once, on the event loop.
    init(
        _ framing: MessageFraming, head: ByteBuffer, open: @escaping @Sendable () async -> AsyncStream<Message>,
        encode: @escaping @Sendable (Message) -> [UInt8], onEnd: @escaping () -> Void = {}
    ) {
        self.framing = framing
        self.head = head
        self.open = open
        self.encode = encode
        self.onEnd = onEnd
    }

    func start(in context: ChannelHandlerContext) {
        let channel = context.channel
        // What is told is so little that it all fits into the kernel, where nobody sees that it does not get through.
        // Unix sockets have no such option, and no cable either.
        try? channel.syncOptions?.setOption(
            .tcpOption(.userTimeout), value: .init(TCPKeepAlive.unacknowledgedSeconds * 1000))
        teller = Task { [open, encode, head] in
            let messages = await open()
            do {
                // Whoever has read the head misses nothing that happens from then on.
                try await channel.writeAndFlush(head)
                for await message in messages {
                    try await channel.writeAndFlush(ByteBuffer(bytes: encode(message)))
                }
            } catch {
                // The listener is gone.
            }
            channel.close(promise: nil)
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        beat = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.heartbeat, delay: Self.heartbeat) { _ in
            bound.value.beatNow(channel)
        }
    }

    private func beatNow(_ channel: any Channel) {
        let waiting = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        // Nothing left, or nothing came back, in the whole time between two beats.
        if isPinged || (waiting > 0 && waiting == buffered) { return channel.close(promise: nil) }
        buffered = waiting
        guard waiting == 0 else { return }
        isPinged = framing == .webSocket
        channel.writeAndFlush(framing.heartbeat, promise: nil)
    }

    /// A listener has nothing to say but pongs and goodbye.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard framing == .webSocket, !hasEnded else { return }
        switch reader.take(unwrapInboundIn(data)) {
        case .none, .data: break
        case .alive: isPinged = false
        case .pong(let payload):
            guard context.channel.isWritable else { break }
            context.writeAndFlush(
                wrapOutboundOut(WebSocketWriter.control(opcode: WebSocketWriter.pong, payload: payload)), promise: nil)
        case .close(let code):
            end(context, WebSocketWriter.control(opcode: WebSocketWriter.close, payload: code))
        case .fail(let code, let reason): end(context, WebSocketWriter.close(code, reason: reason))
        }
    }

    private func end(_ context: ChannelHandlerContext, _ farewell: ByteBuffer) {
        stop()
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(farewell)).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerShutdown { end(context, framing.farewell) }
    }

    /// Nothing is told afterwards.
    func stop() {
        teller?.cancel()
        teller = nil
        beat?.cancel()
        beat = nil
        guard !hasEnded else { return }
        hasEnded = true
        onEnd()
    }
}
