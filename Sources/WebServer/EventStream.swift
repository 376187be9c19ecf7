import ControlProtocol
import NIOCore

/// A connection on which events are told as they happen (HTML standard, "Server-sent events").
///
/// The next event is taken when the last one has left for the kernel, so a slow listener holds one event here; what
/// waits for it is bounded where the events come from.
final class EventStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A comment line this often keeps the connection alive and finds listeners that are gone.
    static let heartbeat = TimeAmount.seconds(15)

    private let responseHead: ByteBuffer
    private let events: @Sendable () async -> AsyncStream<EventReport>
    private var teller: Task<Void, Never>?
    private var beat: RepeatedTask?
    private var buffered = 0

    init(responseHead: ByteBuffer, events: @escaping @Sendable () async -> AsyncStream<EventReport>) {
        self.responseHead = responseHead
        self.events = events
    }

    func start(in context: ChannelHandlerContext) {
        let channel = context.channel
        teller = Task { [events, responseHead] in
            let stream = await events()
            do {
                // Whoever has read the head misses nothing that happens from then on.
                try await channel.writeAndFlush(responseHead)
                for await event in stream {
                    try await channel.writeAndFlush(ByteBuffer(bytes: event.serverSentEvent))
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
        // Nothing left in the whole time between two beats.
        if waiting > 0, waiting == buffered { return channel.close(promise: nil) }
        buffered = waiting
        if waiting == 0 { channel.writeAndFlush(ByteBuffer(string: ":\n\n"), promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A listener has nothing to say.
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerShutdown { context.close(promise: nil) }
    }

    private func stop() {
        teller?.cancel()
        teller = nil
        beat?.cancel()
        beat = nil
    }
}
