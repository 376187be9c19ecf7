import Containers
import Glibc
import Logging
import Media
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Streaming

/// One attempt of a push: connects, subscribes once the service takes the stream, watches over the flow. Belongs to one
/// event loop; everything is called there.
final class PushLink: PushTransportDelegate {
    enum Event {
        /// The service took the stream and its first key frame.
        case publishing
        case failed(LinkFailure)
        /// The footage is at its end; `close` is to follow.
        case finished
        /// After `close`: the connection is gone.
        case closed
    }

    /// Unsent bytes in the agent beyond which frames wait in the subscription, and at which they flow again.
    static let writeMarks = ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 128 << 10)
    /// Unsent bytes in the kernel (TCP_NOTSENT_LOWAT), so that what is late waits where it can be dropped.
    static let unsentInKernel = 64 << 10
    private static let tcpNotSentLowAt = NIOBSDSocket.Option(rawValue: 25)
    private static let tcpUserTimeout = NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)

    private var request: PushRequest
    private let attachment: PushAttachment
    private let id: UInt64
    private let settings: PublishingSettings
    private let hubs: PushManager.Hubs
    private let loop: any EventLoop
    private let clock: any MediaClock
    private let onEvent: (Event) -> Void

    private var channel: (any Channel)?
    private var transport: (any PushLinkTransport)?
    private var hub: StreamHub?
    private var feed: (any FrameFeed)?
    private var isAccepted = false
    private var isPaused = false
    /// When the first frame was asked for.
    private var fedSince: MediaTime?
    private var governor: BitrateGovernor?
    private var ticker: RepeatedTask?
    private var lastFrame: (count: Int, time: MediaTime) = (0, .zero)
    private var isClosing = false
    private var isOver = false
    private var finishedBytes = 0

    init(
        request: PushRequest, attachment: PushAttachment, id: UInt64, settings: PublishingSettings,
        hubs: @escaping PushManager.Hubs,
        loop: any EventLoop, clock: any MediaClock, onEvent: @escaping (Event) -> Void
    ) {
        self.request = request
        self.attachment = attachment
        self.id = id
        self.settings = settings
        self.hubs = hubs
        self.loop = loop
        self.clock = clock
        self.onEvent = onEvent
    }

    struct Counters {
        var bytesSent = 0
        var framesSent = 0
        var framesDropped = 0
    }

    /// Of feeds that have ended.
    private var finishedFrames = (sent: 0, dropped: 0)

    var counters: Counters {
        let frames = feed?.counters
        return Counters(
            bytesSent: finishedBytes + (transport?.bytesSent ?? 0),
            framesSent: finishedFrames.sent + (frames?.framesSent ?? 0),
            framesDropped: finishedFrames.dropped + (frames?.framesDropped ?? 0))
    }

    // MARK: From the session's driver

    func start() { connect(RTMPAuthentication()) }

    /// Another stream or other tracks, from the next key frame on; the connection stays.
    func change(_ request: PushRequest) {
        self.request = request
        (transport as? JT1078Push)?.tracks = request.tracks
        guard isAccepted, attachment.isLive, !isPaused, !isClosing, !isOver else { return }
        stopFeed()
        startFeed()
    }

    /// Nothing is sent while paused; then it goes on at a key frame.
    func setPaused(_ isPaused: Bool) {
        guard isPaused != self.isPaused else { return }
        self.isPaused = isPaused
        guard isAccepted, !isClosing, !isOver else { return }
        // Footage has commands of its own.
        guard attachment.isLive else { return }
        if isPaused { stopFeed() } else { startFeed() }
    }

    /// In order where the service already takes the stream. `closed` follows.
    func close() {
        guard !isClosing, !isOver else { return }
        isClosing = true
        endFeeding()
        guard let channel, channel.isActive, let transport else {
            self.channel?.close(promise: nil)
            endClosing()
            return
        }
        transport.farewell()
        let bound = NIOLoopBound(self, eventLoop: loop)
        channel.closeFuture.whenComplete { _ in bound.value.endClosing() }
    }

    // MARK: Connecting

    private func connect(_ authentication: RTMPAuthentication) {
        guard request.target.scheme.isSecure else {
            connect(authentication, tls: nil)
            return
        }
        // Reading the certificates blocks, so it has a thread of its own.
        let caFile = settings.caFile
        let bound = NIOLoopBound(self, eventLoop: loop)
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try TLS.clientContext(caFile: caFile) }
            .whenComplete { result in
                let link = bound.value
                guard !link.isClosing, !link.isOver else { return }
                switch result {
                case .success(let context): link.connect(authentication, tls: context)
                case .failure(let error):
                    let files = caFile.map { "\($0) and the system's certificates" } ?? "the system's certificates"
                    link.fail(LinkFailure(.unreachable, "\(files) cannot be read: \(error)", pace: .refused))
                }
            }
    }

    private func connect(_ authentication: RTMPAuthentication, tls: NIOSSLContext?) {
        let target = request.target
        let settings = settings
        let transport = makeTransport(authentication)
        transport.delegate = self
        self.transport = transport
        guard target.scheme != .jt1078UDP else { return connectDatagrams(transport) }
        let handler = NIOLoopBound(transport, eventLoop: loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.nanoseconds))
            .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            .channelOption(
                ChannelOptions.tcpOption(Self.tcpUserTimeout), value: Int(settings.acknowledgementTimeout.milliseconds)
            )
            .channelOption(ChannelOptions.tcpOption(Self.tcpNotSentLowAt), value: Self.unsentInKernel)
            .channelOption(ChannelOptions.writeBufferWaterMark, value: Self.writeMarks)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(TLS.clientHandler(context: tls, host: target.host)) }
                    if target.scheme.isHTTP { try pipeline.addHTTPClientHandlers() }
                    try pipeline.addHandler(handler.value)
                }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { bound.value.connected($0) }
    }

    private func makeTransport(_ authentication: RTMPAuthentication) -> any PushLinkTransport {
        let target = request.target
        if let stream = target.jt1078 {
            let push = JT1078Push(
                target: target, stream: stream, onPacket: attachment.onPacket, settings: settings, clock: clock)
            push.tracks = request.tracks
            return push
        }
        return target.scheme.isRTMP
            ? RTMPConnection(target: target, authentication: authentication, settings: settings, clock: clock)
            : HTTPFLVPush(target: target, settings: settings, clock: clock)
    }

    private func connectDatagrams(_ transport: any PushLinkTransport) {
        let handler = NIOLoopBound(transport, eventLoop: loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([DatagramBytes(), handler.value])
                }
            }
            .connect(host: request.target.host, port: request.target.port)
            .whenComplete { bound.value.connected($0) }
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard !isClosing, !isOver else {
                channel.close(promise: nil)
                return
            }
            self.channel = channel
        case .failure(let error):
            fail(LinkFailure(connecting: error, place: request.target.redacted))
        }
    }

    // MARK: From the transport

    func transportAccepted() {
        guard !isClosing, !isOver else { return }
        isAccepted = true
        let shortest = min(settings.noDataTimeout, settings.stallTimeout).nanoseconds / 4
        let period = TimeAmount.nanoseconds(max(min(shortest, 250_000_000), 5_000_000))
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.tick() }
        if !isPaused { startFeed() }
    }

    private func startFeed() {
        guard let transport else { return }
        lastFrame = (0, clock.now())
        let name = "channel \(request.channel), \(request.quality.rawValue)"
        switch attachment.source {
        case .live: break
        case .footage(let make):
            feed = make(transport, loop)
            if feed == nil { fail(LinkFailure(.noData, "\(name): there is nothing more to send")) }
            // It may have turned writable while the feed was being made.
            feed?.sinkBecameWritable()
            return
        case .greeting:
            (transport as? JT1078Push)?.greet()
            return
        }
        guard let hub = hubs(request.channel, request.quality) else {
            fail(LinkFailure(.noData, "\(name): the configuration has no such stream"))
            return
        }
        self.hub = hub
        // A stream that takes another's place goes on where that one was. A platform waits for its first picture.
        let isFirst = fedSince == nil
        let elapsed = fedSince.map { clock.now() - $0 } ?? .zero
        fedSince = fedSince ?? clock.now()
        guard
            let subscription = hub.subscribe(
                transport, on: loop, start: isFirst && request.target.scheme.isJT1078 ? .cachedGroup : .freshKeyFrame,
                tracks: request.tracks, limits: .push,
                origin: .milliseconds(Int64(request.startTimestamp)) + elapsed)
        else {
            fail(LinkFailure(.noData, "\(name): the stream has ended"))
            return
        }
        feed = subscription
        if settings.adaptBitrate, request.tracks != .audio, let video = hub.format.video, video.bitrate > 0 {
            let audio = request.tracks == .all ? hub.format.audio?.bitrate ?? 0 : 0
            governor = BitrateGovernor(configured: video.bitrate, reserved: audio)
        }
    }

    func transportWantsAnotherConnection(_ authentication: RTMPAuthentication) {
        guard !isClosing, !isOver else { return }
        finishedBytes += transport?.bytesSent ?? 0
        channel = nil
        connect(authentication)
    }

    func transportFailed(_ failure: LinkFailure) { fail(failure) }

    func transportSentFirstFrame() {
        guard !isClosing, !isOver else { return }
        onEvent(.publishing)
    }

    func transportBecameWritable() { feed?.sinkBecameWritable() }

    func transportStreamEnded() {
        guard attachment.isLive else {
            if !isClosing, !isOver { onEvent(.finished) }
            return
        }
        fail(
            LinkFailure(
                .noData, "channel \(request.channel), \(request.quality.rawValue): the stream has ended"))
    }

    func transportClosed() {}

    // MARK: Watching

    private func tick() {
        guard let feed, let transport, !isOver else { return }
        let now = clock.now()
        let counters = feed.counters
        let count = counters.framesSent + counters.framesDropped
        // Frames that wait for a slow link are frames. A playback may be paused by its viewer.
        if count != lastFrame.count || feed.queuedBytes > 0 || !attachment.isLive {
            lastFrame = (count, now)
        } else if now - lastFrame.time >= settings.noDataTimeout {
            fail(
                LinkFailure(
                    .noData,
                    "channel \(request.channel), \(request.quality.rawValue) gave "
                        + (count == 0 ? "no key frame" : "nothing")
                        + " for \(settings.noDataTimeout.seconds) s: see the state of its camera and microphone",
                    isTimeout: count == 0))
            return
        }
        let stalled = transport.stalled(now: now)
        if stalled >= settings.stallTimeout {
            let place = request.target.redacted
            fail(LinkFailure(.networkLost, "\(place) has taken nothing for \(Int(stalled.seconds)) s"))
            return
        }
        if let subscription = feed as? Subscription { govern(subscription, transport, now: now) }
    }

    private func govern(_ subscription: Subscription, _ transport: any PushLinkTransport, now: MediaTime) {
        guard var governor, let hub else { return }
        let span = subscription.queuedSpan + transport.oldestAge(now: now)
        let change = governor.update(span: span, bytesSent: transport.bytesSent, now: now)
        self.governor = governor
        switch change {
        case .ceiling(let rate): hub.setBitrateCeiling(rate, for: id)
        case .lift: hub.setBitrateCeiling(nil, for: id)
        case nil: break
        }
    }

    // MARK: Ending

    private func endFeeding() {
        ticker?.cancel()
        ticker = nil
        stopFeed()
    }

    private func stopFeed() {
        if let feed {
            finishedFrames.sent += feed.counters.framesSent
            finishedFrames.dropped += feed.counters.framesDropped
            feed.cancel()
        }
        feed = nil
        if governor?.ceiling != nil { hub?.setBitrateCeiling(nil, for: id) }
        governor = nil
        hub = nil
    }

    private func fail(_ failure: LinkFailure) {
        guard !isClosing, !isOver else { return }
        // First, because closing makes the transport report an end of its own.
        isOver = true
        endFeeding()
        channel?.close(promise: nil)
        onEvent(.failed(failure))
    }

    private func endClosing() {
        guard !isOver else { return }
        isOver = true
        onEvent(.closed)
    }
}

/// A transport as its link sees it.
protocol PushLinkTransport: ChannelHandler, FrameSink {
    var delegate: (any PushTransportDelegate)? { get set }
    var bytesSent: Int { get }
    func oldestAge(now: MediaTime) -> MediaTime
    func stalled(now: MediaTime) -> MediaTime
    func farewell()
}

extension PushTransport {
    var bytesSent: Int { meter.bytesSent }
    func oldestAge(now: MediaTime) -> MediaTime { meter.oldestAge(now: now) }
    func stalled(now: MediaTime) -> MediaTime { meter.stalled(now: now) }
}

extension RTMPConnection: PushLinkTransport {}
extension HTTPFLVPush: PushLinkTransport {}
extension JT1078Push: PushLinkTransport {}
