import Glibc
import Logging
import Media
import Motion
import NIOCore
import NIOPosix
import PlatformProtocol
import Publishing
import Recording
import Streaming
import Synchronization

/// One platform's signalling link: the socket, the timers, and what performs the session's decisions. Everything happens on
/// one event loop; the functions marked so may be called from anywhere.
package final class PlatformLink: @unchecked Sendable {  // every stored variable is touched on `loop` only
    package let settings: PlatformSettings
    private let device: any PlatformDevice
    private let pushes: PushManager
    private let store: PlatformStore
    private let loop: any EventLoop
    private let clock: any MediaClock
    private let logger: Logger
    private let onEvent: @Sendable (PlatformEvent) -> Void

    private var session: PlatformSession
    private var channel: (any Channel)?
    private var attempt = 0
    private var timer: Scheduled<Void>?
    private var runner: StreamRunner?
    private var openStreams: [PlatformStreams.Token: PlatformStreams.Stream] = [:]
    private var ceilings: StreamCeilings
    private var log = FrameLog()
    private var detail = ""
    private var isStopped = false
    private var searches = 0
    private let holder: MotionHolder
    private var uploads: UploadQueue?
    private let gpsd: GPSDClient?

    /// Looking at the device for alarms, and at timers.
    private static let period = MediaTime.milliseconds(500)
    /// Questions to the recordings at the same time; more are answered as if nothing were there.
    private static let maximumSearches = 8
    /// What the platform is slow to take.
    private static let maximumUnsentBytes = 1 << 20
    /// Of heads: viewers' numbers are smaller.
    private static let firstHolder: UInt64 = 1 << 49
    private static let holders = Mutex(PlatformLink.firstHolder)

    package init(
        settings: PlatformSettings, memory: PlatformMemory, device: any PlatformDevice, pushes: PushManager,
        store: PlatformStore, loop: any EventLoop, clock: any MediaClock = SystemMediaClock(), logger: Logger,
        onEvent: @escaping @Sendable (PlatformEvent) -> Void
    ) {
        self.settings = settings
        self.device = device
        self.pushes = pushes
        self.store = store
        self.loop = loop
        self.clock = clock
        var logger = logger
        logger[metadataKey: "platform"] = "\(settings.name)"
        self.logger = logger
        self.onEvent = onEvent
        gpsd = settings.gpsd.map { GPSDClient($0, loop: loop, clock: clock) }
        let number = Self.holders.withLock { next in
            next += 1
            return next
        }
        holder = MotionHolder(rawValue: number)
        ceilings = StreamCeilings(device: device, number: number)
        session = PlatformSession(
            settings: settings, memory: memory, seed: UInt64.random(in: .min ... .max), now: clock.now())
    }

    // MARK: From anywhere

    /// Keeps the link up until `stop`.
    package func run() async {
        let runner = StreamRunner(
            settings: settings, device: device, pushes: pushes, loop: loop, logger: logger,
            onNews: { [weak self, loop] news in loop.execute { [weak self] in self?.heard(news) } })
        let hasBegun = try? await loop.submit {
            guard !self.isStopped else { return false }
            self.runner = runner
            self.gpsd?.start()
            self.perform(self.session.start(now: self.clock.now()))
            self.schedule()
            return true
        }.get()
        if hasBegun == true { await runner.run() }
    }

    /// Ends the streams and the link.
    package func stop() async {
        let runner = try? await loop.submit {
            self.isStopped = true
            return self.runner
        }.get()
        await runner?.finish()
        try? await loop.submit {
            self.perform(self.session.stop(now: self.clock.now()))
            self.timer?.cancel()
            self.ceilings.liftAll()
            self.uploads?.stop()
            self.gpsd?.stop()
        }.get()
    }

    package func status() async -> PlatformStatus? { try? await loop.submit { self.makeStatus() }.get() }

    package func frames() async -> [FrameLog.Entry] { (try? await loop.submit { self.log.entries }.get()) ?? [] }

    private var view: TerminalView {
        var view = device.view()
        view.position = gpsd?.position
        view.roomForStreams = pushes.room
        return view
    }

    // MARK: Time

    private func schedule() {
        timer?.cancel()
        guard !isStopped else { return }
        let now = clock.now()
        let next = min(session.nextWake ?? now + Self.period, now + Self.period)
        timer = loop.scheduleTask(in: .nanoseconds(max((next - now).nanoseconds, 1_000_000))) { [weak self] in
            guard let self else { return }
            self.perform(self.session.wake(now: self.clock.now(), view: self.view))
            self.schedule()
        }
    }

    // MARK: Doing what the session says

    private func perform(_ actions: [PlatformSession.Action]) {
        var (hasSent, isOverrun) = (false, false)
        for action in actions {
            switch action {
            case .connect(let server): connect(server)
            case .disconnect: disconnect()
            case .send(let bytes):
                log.add(bytes, isSent: true, time: view.wallClock)
                channel?.write(ByteBuffer(bytes: bytes), promise: nil)
                hasSent = true
            case .stream(let order): isOverrun = !put(order) || isOverrun
            default: performBeside(action)
            }
        }
        if hasSent { flush() }
        if isOverrun { lost("the platform commands faster than anything can be carried out") }
    }

    /// What is not the link itself.
    private func performBeside(_ action: PlatformSession.Action) {
        switch action {
        case .remember(let memory):
            let (store, name) = (store, settings.name)
            Task { await store.save(memory, for: name) }
        case .find(let search): find(search)
        case .upload(let serial, let request): upload(serial, request)
        case .controlUpload(let request): uploads?.control(request.upload, request.control)
        case .move(let move): carryOut(move)
        case .lossRate(let token, let loss):
            if let stream = session.streams[token] { ceilings.govern(stream, loss: loss) }
        case .limit(let channel, let bitrate): ceilings.limit(channel, bitrate)
        case .refusedStream(let kind, let channel, let result):
            tell(kind, channel, .refused, ": answered with result \(result.rawValue)")
        case .clockDiffers(let seconds):
            logger.warning("the platform's clock is another one", metadata: ["aheadBySeconds": "\(seconds)"])
        case .online:
            detail = ""
            logger.notice("the platform has logged the terminal in")
            onEvent(PlatformEvent(.online, platform: settings.name))
        case .offline(let reason):
            detail = reason
            logger.warning("the platform is away", metadata: ["detail": "\(reason)"])
            onEvent(PlatformEvent(.offline, platform: settings.name, detail: reason))
            // Whoever turned a head cannot stop it any more.
            for channel in settings.channels { device.head(channel.id)?.lost(holder) }
        case .refused(let reason):
            detail = reason
            logger.error("the platform refuses the terminal", metadata: ["detail": "\(reason)"])
            onEvent(PlatformEvent(.refused, platform: settings.name, detail: reason))
        case .connect, .disconnect, .send, .stream: break
        }
    }

    private func flush() {
        guard let channel else { return }
        channel.flush()
        // A platform that reads nothing holds up nothing here but its own link.
        guard channel.isWritable else { return lost("the platform takes nothing") }
    }

    // MARK: Connection

    private func connect(_ server: PlatformSettings.Server) {
        attempt += 1
        let number = attempt
        let bound = NIOLoopBound(self, eventLoop: loop)
        let interval = max(session.keepAliveSeconds, 1)
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(10))
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .channelOption(ChannelOptions.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: SocketOptionValue(interval))
            .channelOption(ChannelOptions.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: SocketOptionValue(interval))
            .channelOption(ChannelOptions.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 2)
            .channelOption(
                ChannelOptions.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: SocketOptionValue(interval * 3000)
            )
            .channelOption(
                ChannelOptions.writeBufferWaterMark,
                value: .init(low: Self.maximumUnsentBytes / 2, high: Self.maximumUnsentBytes)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LinkHandler(link: bound.value, attempt: number))
                }
            }
            .connect(host: server.host, port: server.port)
            .whenComplete { bound.value.connected($0, number, server) }
    }

    private func connected(
        _ result: Result<any Channel, any Error>, _ number: Int, _ server: PlatformSettings.Server
    ) {
        switch result {
        case .success(let channel):
            guard number == attempt, session.state == .connecting else { return channel.close(promise: nil) }
            self.channel = channel
            tapSplitter = JT808FrameSplitter()
            perform(session.connected(now: clock.now()))
            schedule()
        case .failure(let error):
            guard number == attempt else { return }
            let reason = LinkFailure(connecting: error, place: "\(server.host):\(server.port)").cause.detail
            if reason != detail { logger.warning("the platform cannot be reached", metadata: ["detail": "\(reason)"]) }
            detail = reason
            perform(session.connectionEnded(reason, now: clock.now()))
            schedule()
        }
    }

    private func disconnect() {
        attempt += 1
        channel?.flush()
        channel?.close(promise: nil)
        channel = nil
    }

    private func lost(_ reason: String) {
        disconnect()
        perform(session.connectionEnded(reason, now: clock.now()))
    }

    fileprivate func received(_ bytes: ByteBuffer, _ number: Int) {
        guard number == attempt else { return }
        let view = self.view
        let before = session.counters.framesReceived
        tap(bytes, at: view.wallClock)
        perform(session.received(bytes.readableBytesView, now: clock.now(), view: view))
        if session.counters.framesReceived != before { schedule() }
    }

    fileprivate func ended(_ error: (any Error)?, _ number: Int) {
        guard number == attempt else { return }
        channel = nil
        attempt += 1
        perform(
            session.connectionEnded(
                error.map { LinkFailure($0, place: "the platform").cause.detail } ?? "the platform closed the link",
                now: clock.now()))
        schedule()
    }

    private var tapSplitter = JT808FrameSplitter()

    /// For the log, whole frames only.
    private func tap(_ bytes: ByteBuffer, at time: Int64) {
        for case .success(let escaped) in tapSplitter.feed(bytes.readableBytesView) {
            log.add([JT808Frame.delimiter] + escaped + [JT808Frame.delimiter], isSent: false, time: time)
        }
    }

    // MARK: Media

    /// - Returns: false where too many wait.
    private func put(_ order: PlatformStreams.Order) -> Bool {
        switch order {
        case .open(let stream):
            openStreams[stream.token] = stream
            ceilings.renew(stream.channelID)
        case .change(let token, _, _):
            if let stream = openStreams[token] { ceilings.lift(token, channel: stream.channelID) }
        default: break
        }
        return runner?.put(order) ?? true
    }

    private func heard(_ news: StreamRunner.News) {
        switch news {
        case .publishing(let token):
            guard let stream = session.streams.published(token) else { return }
            openStreams[token] = stream
            tell(stream.kind, stream.channelID, .ready)
        case .ended(let token, let cause):
            let ended = session.streams.ended(token)
            guard let stream = ended ?? openStreams[token] else { return }
            openStreams[token] = nil
            ceilings.lift(token, channel: stream.channelID)
            let notice = StreamNotice.closed(
                cause.code, wasPublishing: stream.isPublishing, isDatagram: stream.address.isDatagram)
            tell(stream.kind, stream.channelID, notice, ": \(cause.detail)")
        }
    }

    private func tell(_ kind: PlatformStreams.Kind?, _ channel: Int?, _ notice: StreamNotice, _ reason: String = "") {
        var detail = "\(kind?.rawValue ?? "stream") \(notice.act.rawValue)"
        if let number = notice.cause { detail += ", closeCause \(number.rawValue) (\(number.name))" }
        onEvent(PlatformEvent(.stream, platform: settings.name, channel: channel, detail: detail + reason))
    }

    // MARK: Recordings

    private func find(_ search: PlatformSearch) {
        guard searches < Self.maximumSearches, let source = try? device.footage else {
            perform(session.found(search, [], quality: nil, now: clock.now()))
            return
        }
        searches += 1
        let finder = RecordingSearch(settings: settings, view: view)
        device.footageThreads.runIfActive(eventLoop: loop) { finder.run(search, source) }
            .whenComplete { [self] result in
                searches -= 1
                let outcome = (try? result.get()) ?? RecordingSearch.Outcome()
                let actions = session.found(
                    search, outcome.records, quality: outcome.opening?.stream, now: clock.now())
                prepare(actions, outcome, search)
                perform(actions)
            }
    }

    private func prepare(
        _ actions: [PlatformSession.Action], _ outcome: RecordingSearch.Outcome, _ search: PlatformSearch
    ) {
        guard let opening = outcome.opening, case .playback(let request) = search.purpose else { return }
        for case .stream(.open(let stream)) in actions where stream.kind == .playback {
            let threads = PlatformPlaybackThreads(pool: device.footageThreads, clock: clock)
            let playback = PlatformPlayback(
                opening, request: request, recordedUntil: outcome.recordedUntil, loop: loop, threads: threads)
            runner?.prepare(stream.token, playback)
        }
    }

    private func upload(_ serial: UInt16, _ request: JT1078UploadRequest) {
        let queue =
            uploads
            ?? UploadQueue(settings: settings, device: device, logger: logger) { [weak self, loop] serial, isDone in
                loop.execute { [weak self] in self?.uploaded(serial, isDone) }
            }
        uploads = queue
        queue.add(serial, request)
    }

    private func uploaded(_ serial: UInt16, _ isDone: Bool) {
        perform(session.uploaded(serial, isDone: isDone, now: clock.now()))
    }

    // MARK: Heads

    private func carryOut(_ move: PlatformMove) {
        guard let head = device.head(move.channelID) else {
            return perform(session.carriedOut(move.serial, move.id, .unsupported, now: clock.now()))
        }
        let holder = holder
        Task { [weak self, loop] in
            let result = await move.motion.perform(by: head, for: holder)
            loop.execute { [weak self] in self?.carriedOut(move, result) }
        }
    }

    private func carriedOut(_ move: PlatformMove, _ result: JT808Result) {
        perform(session.carriedOut(move.serial, move.id, result, now: clock.now()))
    }

    // MARK: Reports

    private func makeStatus() -> PlatformStatus {
        let now = clock.now()
        return PlatformStatus(
            name: settings.name, state: session.state, since: now - session.since, server: session.server,
            phone: settings.phone, version: settings.version, detail: detail, counters: session.counters,
            streams: session.streams.all.map { stream in
                PlatformStatus.Stream(stream: stream, push: runner?.push(stream.token))
            })
    }
}

/// The socket's end of a link.
private final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private weak var link: PlatformLink?
    private let attempt: Int
    private var error: (any Error)?

    init(link: PlatformLink, attempt: Int) {
        self.link = link
        self.attempt = attempt
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { link?.received(unwrapInboundIn(data), attempt) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.error = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { link?.ended(error, attempt) }
}
