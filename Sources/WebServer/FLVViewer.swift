import Containers
import ControlProtocol
import Logging
import NIOCore
import NIOWebSocket
import Signalling
import Streaming

/// A connection on which somebody watches: takes the frames of a feed and puts them on the wire as FLV.
///
/// Per frame and viewer there is a small buffer (framing and tag header with the viewer's time stamp) and the tag's
/// body, which all viewers share; both leave in one system call. Lives on the connection's event loop.
final class FLVViewer: ChannelInboundHandler, FrameSink, RegisteredViewer, Cancellable, @unchecked Sendable {
    // In HTTP framing nothing that comes in is looked at, so it is never unwrapped.
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    /// Bodies up to this length are copied behind their header: cheaper than a second buffer on the way to the kernel.
    static let copiedBodyLength = 512
    /// An HTTP viewer has nothing more to say after its request; one that sends this many pieces is sent away.
    static let maximumStrayReads = 256
    /// For the last bytes and the viewer's goodbye.
    static let closingTime = TimeAmount.seconds(2)

    private static let noBuffer = ByteBuffer()

    struct Description: Sendable {
        let place: ViewerPlace
        let activity: ViewerReport.Activity
        let channel: Int
        let stream: StreamQuality
        let framing: FLVFraming
        let remote: String
    }

    struct Timing: Sendable {
        let stall: TimeAmount
        let ping: TimeAmount
    }

    /// Why a viewer is gone, for the log.
    enum Departure: String {
        case left, stalled, unresponsive, misbehaved, replaced
        case streamEnded = "stream ended"
        case footageUnreadable = "footage cannot be read"
        case shutdown = "agent stops"
    }

    // What each frame looks at comes first and together: with hundreds of viewers, memory costs more than arithmetic.
    private var socket: SocketWriter?
    private let framing: FLVFraming
    private let scratch: FrameScratch
    private(set) var bytesWritten = 0
    /// As NIO last said; asking the channel each time would cost a look at memory that is seldom in the cache.
    private var channelIsWritable = true
    private var hasUnflushed = false
    /// True from a write through the channel until it is seen to hold nothing any more.
    private var channelHasBytes = false
    private var closingSince: NIODeadline?

    let description: Description
    private let registry: ViewerRegistry
    private let timing: Timing
    private let logger: Logger
    private let connectedAt: NIODeadline
    private let loop: any EventLoop

    private var context: ChannelHandlerContext?
    private var channel: (any Channel)?
    private var feed: (any FrameFeed)?
    private let onEnd: (FLVViewer?) -> Void
    private var responseHead: ByteBuffer?
    private var sentHeader = false
    private var isDraining = false
    private var isFinished = false
    private var hasPlace = true
    private var reader = WebSocketReader()
    private var strayReads = 0

    private var delivered = 0
    private var lastProgress: NIODeadline
    private var lastPing: NIODeadline
    private var unansweredPings = 0
    private var departure = Departure.left

    /// - Parameters:
    ///   - responseHead: goes out in front of everything, together with the first frames where there are some.
    ///   - onEnd: called once, when the viewer has nothing more to do with its feed.
    init(
        _ description: Description, responseHead: ByteBuffer, registry: ViewerRegistry, timing: Timing,
        logger: Logger, scratch: FrameScratch, on loop: any EventLoop, onEnd: @escaping (FLVViewer?) -> Void = { _ in }
    ) {
        framing = description.framing
        self.description = description
        self.responseHead = responseHead
        self.registry = registry
        self.onEnd = onEnd
        self.timing = timing
        self.logger = logger
        self.scratch = scratch
        self.loop = loop
        connectedAt = loop.now
        lastProgress = loop.now
        lastPing = loop.now
    }

    // MARK: Beginning and end

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        channel = context.channel
        channelIsWritable = context.channel.isWritable
        socket = SocketWriter(context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
        channel = nil
    }

    /// False where there is no feed any more; nothing was sent then.
    ///
    /// - Parameter begin: has a feed send its frames to this viewer; the first ones perhaps at once.
    func start(_ begin: (FLVViewer, any EventLoop) -> (any FrameFeed)?) -> Bool {
        guard let context, let feed = begin(self, context.eventLoop) else { return false }
        guard !isFinished else {
            feed.cancel()
            return true
        }
        self.feed = feed
        log("viewer connected")
        // Where the cache had frames, the head left with them.
        writeResponseHead()
        flush()
        if channelIsWritable { drain() }
        return true
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        socket = nil
        let counters = feed?.counters
        feed?.cancel()
        feed = nil
        giveUpPlace()
        registry.leave(
            self, framesSent: counters?.framesSent ?? 0, framesDropped: counters?.framesDropped ?? 0,
            bytesSent: bytesWritten)
        log(
            "viewer disconnected",
            [
                "cause": "\(departure.rawValue)", "framesSent": "\(counters?.framesSent ?? 0)",
                "framesDropped": "\(counters?.framesDropped ?? 0)",
            ])
    }

    private func giveUpPlace() {
        guard hasPlace else { return }
        hasPlace = false
        onEnd(self)
        registry.giveUpPlace(description.place)
    }

    private func log(_ message: Logger.Message, _ extra: Logger.Metadata = [:]) {
        let transport = framing == .webSocket ? "websocket" : "http"
        logger.info(
            message,
            metadata: extra.merging([
                "viewer": "\(description.place.id)", "visitor": "\(description.place.viewer.visitor)",
                "remote": "\(description.remote)", "transport": "\(transport)",
                "stream": "\(description.channel)/\(description.stream.rawValue)",
                "activity": "\(description.activity.rawValue)",
            ]) { own, _ in own })
    }

    /// Says goodbye once everything written has left, but waits no longer than `closingTime`.
    private func close(_ departure: Departure, code: WebSocketCloseCode, reason: String = "") {
        switch framing {
        case .webSocket: close(departure, farewell: WebSocketWriter.close(code, reason: reason))
        case .chunked, .http:
            close(departure, farewell: departure == .streamEnded ? framing.end(isFirst: !sentHeader) : ByteBuffer())
        }
    }

    private func close(_ departure: Departure, farewell: ByteBuffer) {
        guard let context, closingSince == nil else { return }
        self.departure = departure
        closingSince = context.eventLoop.now
        feed?.cancel()
        giveUpPlace()
        writeResponseHead()
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(farewell)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// The same visitor begins such a stream anew. On this loop its place is free when this returns.
    func stop() {
        if loop.inEventLoop { replace() } else { loop.execute { self.replace() } }
    }

    private func replace() { close(.replaced, code: .streamEnded, reason: "replaced by a newer request") }

    private func abort(_ departure: Departure) {
        self.departure = departure
        context?.close(promise: nil)
    }

    // MARK: Frames out

    var isWritable: Bool {
        guard closingSince == nil else { return false }
        // Where much was written at once, as at the beginning, perhaps the kernel takes it.
        if !channelIsWritable, hasUnflushed { flush() }
        return channelIsWritable
    }

    func send(headers: StreamHeaders, timestamp: UInt32) {
        writeResponseHead()
        var block = ByteBuffer()
        let isFirst = !sentHeader
        if isFirst {
            sentHeader = true
            block = FLVWriter.header(hasVideo: headers.video != nil, hasAudio: headers.audio != nil)
        }
        FLVWriter.write(headers.metadata, timestamp: timestamp, to: &block)
        if let video = headers.video { FLVWriter.write(video, timestamp: timestamp, to: &block) }
        if let audio = headers.audio { FLVWriter.write(audio, timestamp: timestamp, to: &block) }
        guard framing != .http else { return write(block) }
        var message = ByteBuffer()
        framing.writeHeader(payload: block.readableBytes, isFirst: isFirst, to: &message)
        message.writeBuffer(&block)
        write(message)
    }

    func send(frame: StreamFrame, timestamp: UInt32) {
        let body = frame.tag.bodyAndTrailer
        // Moved out and back, so that it has one owner while it is written to.
        var prefix = scratch.buffer
        scratch.buffer = Self.noBuffer
        prefix.clear(minimumCapacity: Self.copiedBodyLength + 32)
        framing.writeHeader(payload: FLVTag.headerLength + body.readableBytes, to: &prefix)
        FLVWriter.writeTagHeader(
            kind: frame.tag.kind, bodyLength: body.readableBytes - FLVTag.trailerLength, timestamp: timestamp,
            to: &prefix)
        if body.readableBytes <= Self.copiedBodyLength {
            prefix.writeImmutableBuffer(body)
            writeFrame(prefix, nil)
        } else {
            writeFrame(prefix, body)
        }
        scratch.buffer = prefix
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context?.flush()
    }

    func streamEnded() {
        close(.streamEnded, code: .streamEnded, reason: "stream ended")
    }

    func streamBroke() {
        close(.footageUnreadable, code: .internalError, reason: "the recording cannot be read")
    }

    private func writeResponseHead() {
        guard let head = responseHead else { return }
        responseHead = nil
        write(head)
    }

    /// Straight to the socket where nothing waits before it; what the kernel does not take goes the channel's way.
    private func writeFrame(_ prefix: ByteBuffer, _ body: ByteBuffer?) {
        guard canWriteDirectly, let taken = socket?.write(prefix, body) else {
            write(prefix)
            if let body { write(body) }
            return
        }
        bytesWritten += taken
        if taken < prefix.readableBytes { write(prefix.dropping(taken)) }
        let takenOfBody = max(taken - prefix.readableBytes, 0)
        if let body, takenOfBody < body.readableBytes { write(body.dropping(takenOfBody)) }
    }

    private var canWriteDirectly: Bool {
        guard !hasUnflushed else { return false }
        if channelHasBytes { channelHasBytes = bufferedBytes > 0 }
        return !channelHasBytes
    }

    private func write(_ buffer: ByteBuffer) {
        guard let context else { return }
        bytesWritten += buffer.readableBytes
        channelHasBytes = true
        hasUnflushed = true
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        channelIsWritable = context.channel.isWritable
        if channelIsWritable { drain() }
    }

    /// Has the feed send what waits. Flushing may report the channel writable again from inside.
    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        repeat { feed?.sinkBecameWritable() } while feed?.hasBacklog == true && isWritable
    }

    // MARK: Bytes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard framing == .webSocket else {
            strayReads += 1
            if strayReads > Self.maximumStrayReads { abort(.misbehaved) }
            return
        }
        guard closingSince == nil else { return }
        switch reader.take(unwrapInboundIn(data)) {
        case .none, .data: break
        case .alive: unansweredPings = 0
        case .pong(let payload):
            // A viewer that asks but does not read gets no answer: nothing may pile up.
            guard channelIsWritable else { break }
            control(WebSocketWriter.pong, payload)
        case .close(let code):
            close(.left, farewell: WebSocketWriter.control(opcode: WebSocketWriter.close, payload: code))
        case .fail(let code, let reason): close(.misbehaved, code: code, reason: reason)
        }
    }

    private func control(_ opcode: UInt8, _ payload: ByteBuffer = ByteBuffer()) {
        write(WebSocketWriter.control(opcode: opcode, payload: payload))
        flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? NIOWebSocketError else { return context.close(promise: nil) }
        let code: WebSocketCloseCode = error == .invalidFrameLength ? .tooLong : .protocolError
        close(.misbehaved, code: code)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerShutdown {
            close(.shutdown, code: .goingAway, reason: "the agent stops")
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Being looked after

    /// Bytes that neither the kernel nor the viewer has.
    private var bufferedBytes: Int {
        guard let options = channel?.syncOptions else { return 0 }
        return (try? options.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Called about once a second: finds out who is gone without saying so.
    func sweep(now: NIODeadline) {
        if let closingSince {
            if now - closingSince >= Self.closingTime { context?.close(promise: nil) }
            return
        }
        let buffered = bufferedBytes
        if buffered == 0 || bytesWritten - buffered != delivered {
            delivered = bytesWritten - buffered
            lastProgress = now
        } else if now - lastProgress >= timing.stall {
            return abort(.stalled)
        }
        guard framing == .webSocket, now - lastPing >= timing.ping else { return }
        guard unansweredPings < 2 else { return abort(.unresponsive) }
        lastPing = now
        unansweredPings += 1
        control(WebSocketWriter.ping)
    }

    func report(now: NIODeadline) -> ViewerReport {
        let counters = feed?.counters
        return ViewerReport(
            id: description.place.id, visitor: description.place.viewer.number,
            requester: description.place.viewer.requester, activity: description.activity, channel: description.channel,
            stream: description.stream == .main ? .main : .sub,
            transport: framing == .webSocket ? .websocket : .http, remote: description.remote,
            connectedSeconds: Double((now - connectedAt).nanoseconds / 1_000_000) / 1000, bytesSent: bytesWritten,
            framesSent: counters?.framesSent ?? 0, framesDropped: counters?.framesDropped ?? 0,
            queuedBytes: (feed?.queuedBytes ?? 0) + bufferedBytes)
    }
}

extension ByteBuffer {
    /// What is left after the first `count` bytes.
    fileprivate func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}

/// Where the viewers of one event loop write their small buffers, one after the other. As long as the kernel takes
/// them at once it is one and the same memory, which stays in the processor's cache; a viewer that has to wait keeps
/// its own, and the next one gets new memory.
final class FrameScratch {
    var buffer = ByteBuffer()
}
