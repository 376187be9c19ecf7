import ControlProtocol
import Logging
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Signalling
import Streaming

/// What all connections of a server share.
struct ServerContext: Sendable {
    let router: GuardedRouter
    let audience: HTTPServer.Audience
    let policy: CrossOriginPolicy
    let settings: WebServerSettings
    let registry: ViewerRegistry
    let logger: Logger
}

/// Told to every connection when the server closes.
struct ServerShutdown: Sendable {}

/// One HTTP/1.1 connection: collects a request, has it routed, sends the answer; or hands the connection over to a
/// viewer or a listener, and is gone then.
///
/// One request at a time. A client that sends the next one before the answer gets that answer and then the connection's
/// end (RFC 9112, 9.3.2), and asks again.
final class HTTPConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer
    typealias Decoder = ByteToMessageHandler<HTTPRequestDecoder>

    /// Larger request bodies are refused: 64 KiB.
    static let maximumBodyBytes = 64 << 10

    static var headLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8 << 10
        limits.maxHeaderListSize = 16 << 10
        limits.maxHeaderFieldCount = 64
        return limits
    }

    private enum State {
        case idle
        case receiving(HTTPRequestHead, ByteBuffer)
        case answering(HTTPRequest)
        /// The answer that ends the connection is on its way; what else comes in is not read.
        case closing
    }

    private let server: ServerContext
    /// Set where the server has too many connections.
    private let isRefused: Bool
    private var state = State.idle
    private var closesAfterAnswer = false
    private var deadline: Scheduled<Void>?
    private var work: Task<Void, Never>?

    init(_ server: ServerContext, isRefused: Bool = false) {
        self.server = server
        self.isRefused = isRefused
    }

    /// Puts the handlers of a fresh connection in place; on its event loop.
    static func addHandlers(to channel: any Channel, server: ServerContext, isRefused: Bool = false) throws {
        let decoder = Decoder(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: headLimits))
        try channel.pipeline.syncOperations.addHandlers(decoder, HTTPConnection(server, isRefused: isRefused))
    }

    // MARK: Requests in

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { expectRequest(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        expectRequest(context)
        context.fireChannelActive()
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let time = TimeAmount.seconds(Int64(server.settings.requestSeconds))
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle):
            if head.method == .POST, becomeVoice(self.request(head, ByteBuffer(), context), context) { return }
            let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
            state = .receiving(head, ByteBuffer())
            if length > Self.maximumBodyBytes { refuseBody(context, head) }
        case (.head, .answering): closesAfterAnswer = true
        case (.body(var part), .receiving(let head, var body)):
            guard body.readableBytes + part.readableBytes <= Self.maximumBodyBytes else {
                return refuseBody(context, head)
            }
            // Let go of, so that the buffer is appended to in place.
            state = .idle
            body.writeBuffer(&part)
            state = .receiving(head, body)
        case (.end, .receiving(let head, let body)):
            deadline?.cancel()
            let request = self.request(head, body, context)
            state = .answering(request)
            handle(request, context)
        default: break
        }
    }

    private func request(
        _ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext
    ) -> HTTPRequest {
        HTTPRequest(head: head, body: body, caller: server.audience.caller(context.channel))
    }

    private func refuseBody(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        closesAfterAnswer = true
        let message = "a request's body has at most \(Self.maximumBodyBytes) bytes"
        state = .answering(request(head, ByteBuffer(), context))
        answer(.error(status: 413, code: "tooLarge", message: message), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.close(promise: nil) }
        switch state {
        case .closing: break
        case .answering: closesAfterAnswer = true
        case .idle, .receiving:
            let message = "this is not an HTTP/1.1 request within the limits of this server"
            let answer = HTTPAnswer.error(status: 400, code: "badRequest", message: message)
            send(answer.serialized(extra: server.policy.headers(origin: nil, host: nil), keepAlive: false), context)
            closeWhenSent(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerShutdown else { return context.fireUserInboundEventTriggered(event) }
        closesAfterAnswer = true
        if case .answering = state { return }
        context.close(promise: nil)
    }

    private func stop() {
        deadline?.cancel()
        deadline = nil
        work?.cancel()
        work = nil
    }

    // MARK: Answers out

    private func handle(_ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard !isRefused else {
            closesAfterAnswer = true
            let message = "the device has as many connections as it takes; try again later"
            return answer(.error(status: 503, code: "tooManyConnections", message: message), context)
        }
        carryOut(server.router.route(request), request, context)
    }

    private func carryOut(_ outcome: RouteOutcome, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        // Handing over changes the handlers, which cannot be done while one of them is still reading; so do it next.
        let loop = context.eventLoop.assumeIsolated()
        switch outcome {
        case .answer(let answer): self.answer(answer, context)
        case .work(let work): wait(for: { .answer(await work()) }, request, context)
        case .later(let work): wait(for: work, request, context)
        case .viewer(let start): loop.execute { self.becomeViewer(start, request, context) }
        case .pictures(let start): loop.execute { self.becomePictureViewer(start, request, context) }
        case .playback(let start): loop.execute { self.becomeViewer(start, request, context) }
        case .download(let start): loop.execute { self.becomeDownload(start, request, context) }
        case .voice(let start): loop.execute { self.becomeVoiceSocket(start, request, context) }
        case .events(let events): loop.execute { self.becomeEventStream(events, request, context) }
        case .feedback(let start): loop.execute { self.becomeListener(start, request, context) }
        }
    }

    private func wait(
        for work: @escaping @Sendable () async -> RouteOutcome, _ request: HTTPRequest,
        _ context: ChannelHandlerContext
    ) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        self.work = Task {
            let outcome = await work()
            eventLoop.execute { bound.value.0.finishWork(outcome, request, bound.value.1) }
        }
    }

    /// Nothing is done for a client that has left.
    private func finishWork(_ outcome: RouteOutcome, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard case .answering = state, context.channel.isActive else { return }
        work = nil
        carryOut(outcome, request, context)
    }

    private func answer(_ answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        guard case .answering(let request) = state, context.channel.isActive else { return }
        work = nil
        // After a request to upgrade the decoder reads no further, whatever the answer was.
        let keepAlive =
            request.head.isKeepAlive && !closesAfterAnswer && !request.wantsUpgrade && !answer.isEndless
        send(
            answer.serialized(
                extra: server.policy.headers(origin: request.origin, host: request.host), keepAlive: keepAlive,
                withBody: request.method != .HEAD),
            context)
        guard keepAlive else { return closeWhenSent(context) }
        state = .idle
        expectRequest(context)
    }

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func closeWhenSent(_ context: ChannelHandlerContext) {
        state = .closing
        // The client has as long to take the answer as it had to send the request.
        expectRequest(context)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Handing over

    private func becomeViewer(_ start: LiveStart, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        let limits = server.settings.subscriptionLimits
        let visitors = server.registry.visitors
        becomeViewer(
            start.tracks == .audio ? .liveAudio : .live, of: start.viewer, channel: start.request.channel,
            stream: start.request.quality, request, context, whenFull: start.whenFull,
            onEnd: { viewer in if let viewer { visitors.end(viewer, at: start.place) } }
        ) { viewer, loop in
            visitors.begin(viewer, at: start.place)
            return start.hub.subscribe(viewer, on: loop, tracks: start.tracks, limits: limits)
        }
    }

    private func becomeViewer(_ start: PlaybackStart, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        // The visitor does not leave between its old playback and this one.
        let visitors = server.registry.visitors
        visitors.attach(start.viewer)
        defer { visitors.detach(start.viewer.visitor) }
        let feed = start.begin(on: context.eventLoop)
        becomeViewer(
            start.tracks == .audio ? .playbackAudio : .playback, of: start.viewer, channel: start.request.channel,
            stream: start.opening.stream, request, context, onEnd: { _ in start.end(feed) }
        ) { viewer, _ in
            feed.start(start.tracks == .audio ? SoundSink(viewer) : viewer)
            return feed
        }
    }

    private func becomeViewer(
        _ activity: ViewerReport.Activity, of identity: ViewerIdentity, channel number: Int, stream: StreamQuality,
        _ request: HTTPRequest, _ context: ChannelHandlerContext, whenFull: (@Sendable () async -> HTTPAnswer)? = nil,
        onEnd: @escaping (FLVViewer?) -> Void, begin: (FLVViewer, any EventLoop) -> (any FrameFeed)?
    ) {
        guard context.channel.isActive else { return onEnd(nil) }
        let framing: FLVFraming
        let head: ByteBuffer
        let cross = server.policy.headers(origin: request.origin, host: request.host)
        if request.wantsWebSocket {
            framing = .webSocket
            guard let handshake = WebSocketHandshake.answer(to: request, on: context.channel) else {
                onEnd(nil)
                return answer(.noHandshake, context)
            }
            head = handshake.serialized(extra: cross, keepAlive: true)
        } else {
            let isChunked = [.playback, .playbackAudio].contains(activity) && request.knowsChunks
            framing = isChunked ? .chunked : .http
            head = HTTPAnswer.flv(isChunked: isChunked).serialized(extra: cross, keepAlive: false)
        }
        let place: ViewerPlace
        do throws(RequestRefusal) { place = try server.registry.enter(identity, channel: number) } catch {
            onEnd(nil)
            if error.isFull, let whenFull { return wait(for: { .answer(await whenFull()) }, request, context) }
            return answer(.refusal(error), context)
        }
        let viewer = FLVViewer(
            .init(
                place: place, activity: activity, channel: number, stream: stream, framing: framing,
                remote: Self.name(of: context.channel)),
            responseHead: head, registry: server.registry,
            timing: .init(
                stall: .seconds(Int64(server.settings.stallSeconds)),
                ping: .seconds(Int64(server.settings.pingSeconds))),
            logger: server.logger, scratch: server.registry.scratch(of: context.eventLoop), on: context.eventLoop,
            onEnd: onEnd)
        let channel = context.channel
        do {
            if framing == .webSocket {
                let decoder = WebSocketFrameDecoder(maxFrameSize: WebSocketReader.maximumFrameBytes)
                try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(decoder))
            }
            try channel.pipeline.syncOperations.addHandler(viewer)
        } catch {
            server.registry.giveUpPlace(place)
            onEnd(viewer)
            channel.close(promise: nil)
            return
        }
        server.registry.add(viewer, on: channel.eventLoop)
        let cannotStart = HTTPAnswer.error(
            status: 503, code: "streamEnded", message: "the stream of channel \(number) has just ended")
        handOver(context)
        if !viewer.start(begin) {
            channel.writeAndFlush(cannotStart.serialized(extra: cross, keepAlive: false))
                .whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func becomePictureViewer(
        _ start: PictureStart, _ request: HTTPRequest, _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        let place: ViewerPlace
        do throws(RequestRefusal) {
            place = try server.registry.enter(start.viewer, channel: start.request.channel)
        } catch {
            return answer(.refusal(error), context)
        }
        let viewer = PictureViewer(
            start, place: place, remote: Self.name(of: context.channel), on: context.eventLoop,
            registry: server.registry, stall: .seconds(Int64(server.settings.stallSeconds)), logger: server.logger)
        do {
            try context.channel.pipeline.syncOperations.addHandler(viewer)
        } catch {
            server.registry.giveUpPlace(place)
            return context.close(promise: nil)
        }
        server.registry.add(viewer, on: context.eventLoop)
        let cross = server.policy.headers(origin: request.origin, host: request.host)
        handOver(context)
        viewer.start(head: HTTPAnswer.pictures.serialized(extra: cross, keepAlive: false))
    }

    private func becomeDownload(_ start: DownloadStart, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        // The visitor does not leave between its old download and this one.
        if let viewer = start.viewer { server.registry.visitors.attach(viewer) }
        defer { if let viewer = start.viewer { server.registry.visitors.detach(viewer.visitor) } }
        start.endEarlier()
        let place: ViewerPlace?
        do throws(RequestRefusal) {
            if let viewer = start.viewer { place = try server.registry.enter(viewer) } else { place = nil }
        } catch {
            return answer(.refusal(error), context)
        }
        let cross = server.policy.headers(origin: request.origin, host: request.host)
        let download = DownloadStream(
            start, id: place?.id ?? server.registry.identity(), place: place, remote: Self.name(of: context.channel),
            on: context.eventLoop, registry: server.registry,
            stall: .seconds(Int64(server.settings.stallSeconds)), logger: server.logger)
        let pipeline = context.channel.pipeline.syncOperations
        do {
            try pipeline.addHandler(download)
        } catch {
            if let place { server.registry.giveUpPlace(place) }
            return context.close(promise: nil)
        }
        server.registry.add(download, on: context.eventLoop)
        handOver(context)
        download.start(head: start.answer.serialized(extra: cross, keepAlive: false))
    }

    /// Whether it is a voice; the body that follows is no longer read here. The decoder stays.
    private func becomeVoice(_ request: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
        guard !closesAfterAnswer, let start = server.router.voice(request) else { return false }
        let upload = VoiceUpload(
            isRefused ? .refused(.tooManyTalkers) : start, request,
            crossOrigin: server.policy.headers(origin: request.origin, host: request.host))
        stop()
        let pipeline = context.channel.pipeline.syncOperations
        do {
            try pipeline.addHandler(upload)
        } catch {
            context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
        return true
    }

    private func becomeVoiceSocket(_ start: VoiceStart, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        guard let handshake = WebSocketHandshake.answer(to: request, on: context.channel) else {
            return answer(.noHandshake, context)
        }
        let socket = VoiceSocket(start)
        let decoder = WebSocketFrameDecoder(maxFrameSize: VoiceSocket.maximumFrameBytes)
        let pipeline = context.channel.pipeline.syncOperations
        do {
            try pipeline.addHandlers(ByteToMessageHandler(decoder), socket)
            let own = try pipeline.context(handler: socket)
            let cross = server.policy.headers(origin: request.origin, host: request.host)
            send(handshake.serialized(extra: cross, keepAlive: true), context)
            handOver(context)
            socket.begin(own)
        } catch {
            context.close(promise: nil)
        }
    }

    private func becomeEventStream(
        _ events: @escaping @Sendable () async -> AsyncStream<EventReport>, _ request: HTTPRequest,
        _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        let head = HTTPAnswer.eventStream.serialized(
            extra: server.policy.headers(origin: request.origin, host: request.host), keepAlive: false)
        become(
            MessageStream(.serverSentEvents, head: head, open: events, encode: { $0.serverSentEvent }), context)
    }

    private func becomeListener(_ start: FeedbackStart, _ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let cross = server.policy.headers(origin: request.origin, host: request.host)
        let framing: MessageFraming
        let head: ByteBuffer
        if request.wantsWebSocket {
            guard let handshake = WebSocketHandshake.answer(to: request, on: context.channel) else {
                return answer(.noHandshake, context)
            }
            framing = .webSocket
            head = handshake.serialized(extra: cross, keepAlive: true)
        } else {
            framing = .serverSentEvents
            head = HTTPAnswer.eventStream.serialized(extra: cross, keepAlive: false)
        }
        start.visitors.attach(start.viewer)
        become(
            MessageStream(
                framing, head: head, open: { start.desk.listen(start.viewer.visitor) },
                encode: { framing.message($0) }, onEnd: { start.visitors.detach(start.viewer.visitor) }), context)
    }

    private func become(_ stream: MessageStream<some Sendable>, _ context: ChannelHandlerContext) {
        let pipeline = context.channel.pipeline.syncOperations
        do {
            if stream.framing == .webSocket {
                let decoder = WebSocketFrameDecoder(maxFrameSize: WebSocketReader.maximumFrameBytes)
                try pipeline.addHandler(ByteToMessageHandler(decoder))
            }
            try pipeline.addHandler(stream)
            let own = try pipeline.context(handler: stream)
            handOver(context)
            stream.start(in: own)
        } catch {
            stream.stop()
            context.close(promise: nil)
        }
    }

    /// Takes the HTTP handlers out. What was read already reaches those who come after.
    private func handOver(_ context: ChannelHandlerContext) {
        stop()
        let pipeline = context.channel.pipeline.syncOperations
        let decoder = try? pipeline.context(handlerType: Decoder.self)
        pipeline.removeHandler(self, promise: nil)
        if let decoder { pipeline.removeHandler(context: decoder, promise: nil) }
    }

    /// Such as "127.0.0.1:3333", "[::1]:3333", or "unix".
    static func name(of channel: any Channel) -> String {
        guard let address = channel.remoteAddress, let host = address.ipAddress, let port = address.port else {
            return "unix"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
