import ControlProtocol
import Logging
import NIOCore
import Signalling
import Streaming

/// JPEG pictures that were found, for a viewer.
package struct PictureStart: Sendable {
    let request: LiveRequest
    let feed: PictureFeed
    let viewer: ViewerIdentity

    var place: VisitorTable.Place {
        .init(visitor: viewer.visitor, channel: request.channel, kind: .livePictures)
    }
}

/// A connection on which JPEG pictures follow one another, each a part of a multipart body. A picture that the
/// connection has no room for is left out. Lives on the connection's event loop.
final class PictureViewer: ChannelInboundHandler, RegisteredViewer, Cancellable, @unchecked Sendable {
    // Nothing that comes in is looked at, so it is never unwrapped.
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let boundary = "edge-agent-picture"

    private let startInfo: PictureStart
    private let place: ViewerPlace
    private let remote: String
    private let loop: any EventLoop
    private let registry: ViewerRegistry
    private let stall: TimeAmount
    private let logger: Logger
    private let connectedAt: NIODeadline

    private var context: ChannelHandlerContext?
    private var listener: UInt64?
    private var hasPlace = true
    private var isFinished = false
    private var strayReads = 0
    private var sent = 0
    private var dropped = 0
    private var written = 0
    private var delivered = 0
    private var lastProgress: NIODeadline
    private var cause = "left"

    init(
        _ start: PictureStart, place: ViewerPlace, remote: String, on loop: any EventLoop, registry: ViewerRegistry,
        stall: TimeAmount, logger: Logger
    ) {
        startInfo = start
        self.place = place
        self.remote = remote
        self.loop = loop
        self.registry = registry
        self.stall = stall
        self.logger = logger
        connectedAt = loop.now
        lastProgress = loop.now
    }

    // MARK: Beginning and end

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func start(head: ByteBuffer) {
        registry.visitors.begin(self, at: startInfo.place)
        let loop = self.loop
        listener = startInfo.feed.listen(
            .init(
                onPicture: { picture in loop.execute { self.show(picture) } },
                onEnd: { loop.execute { self.end("stream ended") } }))
        guard listener != nil else { return end("stream ended") }
        log("viewer connected")
        context?.writeAndFlush(wrapOutboundOut(head), promise: nil)
    }

    /// The same visitor begins such a stream anew. On this loop its place is free when this returns.
    func stop() {
        if loop.inEventLoop { end("replaced") } else { loop.execute { self.end("replaced") } }
    }

    private func end(_ cause: String) {
        guard hasPlace else { return }
        self.cause = cause
        leavePlace()
        context?.close(promise: nil)
    }

    private func leavePlace() {
        guard hasPlace else { return }
        hasPlace = false
        if let listener { startInfo.feed.leave(listener) }
        registry.visitors.end(self, at: startInfo.place)
        registry.giveUpPlace(place)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        leavePlace()
        registry.leave(self, framesSent: sent, framesDropped: dropped, bytesSent: written)
        log("viewer disconnected", ["cause": "\(cause)", "framesSent": "\(sent)", "framesDropped": "\(dropped)"])
        context = nil
    }

    private func log(_ message: Logger.Message, _ extra: Logger.Metadata = [:]) {
        logger.info(
            message,
            metadata: extra.merging([
                "viewer": "\(place.id)", "visitor": "\(place.viewer.visitor)", "remote": "\(remote)",
                "stream": "\(startInfo.request.channel)/\(startInfo.request.quality.rawValue)",
                "activity": "\(ViewerReport.Activity.livePictures.rawValue)",
            ]) { own, _ in own })
    }

    // MARK: Pictures out

    /// In one write, since viewers look for a part's head at the beginning of what arrives.
    private func show(_ picture: ByteBuffer) {
        guard hasPlace, let context else { return }
        guard context.channel.isWritable else {
            dropped += 1
            return
        }
        var part = ByteBuffer()
        part.reserveCapacity(picture.readableBytes + 128)
        part.writeString(
            "--\(Self.boundary)\r\nContent-Type: image/jpeg\r\nContent-Length: \(picture.readableBytes)\r\n\r\n")
        part.writeImmutableBuffer(picture)
        part.writeString("\r\n")
        sent += 1
        written += part.readableBytes
        context.writeAndFlush(wrapOutboundOut(part), promise: nil)
    }

    // MARK: Being looked after

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        strayReads += 1
        if strayReads > FLVViewer.maximumStrayReads { end("misbehaved") }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end("left") }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerShutdown { end("agent stops") } else { context.fireUserInboundEventTriggered(event) }
    }

    private var bufferedBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func sweep(now: NIODeadline) {
        let buffered = bufferedBytes
        if buffered == 0 || written - buffered != delivered {
            delivered = written - buffered
            lastProgress = now
        } else if now - lastProgress >= stall {
            end("stalled")
        }
    }

    func report(now: NIODeadline) -> ViewerReport {
        ViewerReport(
            id: place.id, visitor: place.viewer.number, requester: place.viewer.requester, activity: .livePictures,
            channel: startInfo.request.channel, stream: startInfo.request.quality == .main ? .main : .sub,
            transport: .http, remote: remote,
            connectedSeconds: Double((now - connectedAt).nanoseconds / 1_000_000) / 1000, bytesSent: written,
            framesSent: sent, framesDropped: dropped, queuedBytes: bufferedBytes)
    }
}
