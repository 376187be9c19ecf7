import Containers
import Media
import NIOCore
import NIOTLS
import Streaming

/// A publishing RTMP connection: performs what `RTMPPublisher` decides, and is the sink of the push's subscription.
final class RTMPConnection: PushTransport, ChannelInboundHandler, FrameSink {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var publisher: RTMPPublisher

    init(
        target: PushTarget, authentication: RTMPAuthentication, settings: PublishingSettings, clock: any MediaClock
    ) {
        var options = RTMPPublisher.Options(target: target)
        options.authentication = authentication
        options.chunkSize = settings.chunkSize
        options.queryInTcURL = settings.queryInTcURL
        options.time = UInt32(truncatingIfNeeded: clock.now().milliseconds)
        var random = SystemRandomNumberGenerator()
        options.random = (0..<RTMPHandshake.randomLength).map { _ in random.next() }
        publisher = RTMPPublisher(options)
        super.init(target: target, settings: settings, clock: clock)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        attach(context)
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { detach() }

    func channelActive(context: ChannelHandlerContext) { begin() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFinished else { return }
        let before = publisher.phase
        perform(publisher.received(unwrapInboundIn(data)))
        guard publisher.phase != before, !isFinished else { return }
        switch publisher.phase {
        case .connecting: setDeadline(settings.publishTimeout) { [weak self] in self?.deadlinePassed() }
        case .live: setDeadline(nil) {}
        default: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { delegate?.transportBecameWritable() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = endingFailure(error)
        perform(publisher.connectionEnded(failure))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(publisher.connectionEnded(endingFailure()))
        delegate?.transportClosed()
    }

    private func begin() {
        guard publisher.phase == .handshake, publisher.bytesReceived == 0 else { return }
        setDeadline(settings.handshakeTimeout) { [weak self] in self?.deadlinePassed() }
        perform(publisher.start())
    }

    private func deadlinePassed() { perform(publisher.deadlinePassed()) }

    private func perform(_ actions: [RTMPPublisher.Action]) {
        var mustFlush = false
        for action in actions {
            switch action {
            case .send(let bytes):
                context?.write(wrapOutboundOut(bytes), promise: nil)
                mustFlush = true
            case .accepted: delegate?.transportAccepted()
            case .connectAgain(let authentication):
                guard !isFinished else { return }
                abandon()
                delegate?.transportWantsAnotherConnection(authentication)
            case .failed(let failure): fail(failure)
            }
        }
        if mustFlush { flush() }
    }

    /// FCUnpublish and deleteStream, then the end of our side; the service closes the other.
    func farewell() {
        guard beginFarewell(), let context else { return }
        let last = publisher.close()
        guard !last.isEmpty else {
            context.close(promise: nil)
            return
        }
        var whole = ByteBuffer()
        for case .send(let bytes) in last { whole.writeImmutableBuffer(bytes) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenSuccess { bound.value.context?.close(mode: .output, promise: nil) }
        context.writeAndFlush(wrapOutboundOut(whole), promise: promise)
    }

    // MARK: FrameSink

    func send(headers: StreamHeaders, timestamp: UInt32) {
        write(headers.metadata, timestamp: timestamp)
        if let video = headers.video { write(video, timestamp: timestamp) }
        if let audio = headers.audio { write(audio, timestamp: timestamp) }
    }

    func send(frame: StreamFrame, timestamp: UInt32) {
        write(frame.tag, timestamp: timestamp, completesFirstFrame: isFirstFrame(frame))
    }

    private func write(_ tag: FLVTag, timestamp: UInt32, completesFirstFrame: Bool = false) {
        guard !isFinished, publisher.phase == .live else { return }
        var parts: [ByteBuffer] = []
        publisher.write(tag, timestamp: timestamp) { parts.append($0) }
        // Chunk headers and slices of the body in turn: only the latter, a chunk each, are watched.
        var headerBytes = 0
        for (index, part) in parts.enumerated() {
            if index % 2 == 0, index + 1 < parts.count {
                headerBytes = part.readableBytes
                context?.write(wrapOutboundOut(part), promise: nil)
            } else {
                writeMetered(
                    wrapOutboundOut(part), bytes: headerBytes + part.readableBytes,
                    completesFirstFrame: completesFirstFrame && index == parts.count - 1)
            }
        }
    }
}
