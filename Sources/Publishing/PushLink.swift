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
        /// After `close`: the connection is gone.
        case closed
    }

    /// Unsent bytes in the agent beyond which frames wait in the subscription, and at which they flow again.
    static let writeMarks = ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 128 << 10)
    /// Unsent bytes in the kernel (TCP_NOTSENT_LOWAT), so that what is late waits where it can be dropped.
    static let unsentInKernel = 64 << 10
    private static let tcpNotSentLowAt = NIOBSDSocket.Option(rawValue: 25)
    private static let tcpUserTimeout = NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)

    private let request: PushRequest
    private let id: UInt64
    private let settings: PublishingSettings
    private let hubs: PushManager.Hubs
    private let loop: any EventLoop
    private let clock: any MediaClock
    private let onEvent: (Event) -> Void

    private var channel: (any Channel)?
    private var transport: (any PushLinkTransport)?
    private var hub: StreamHub?
    private var subscription: Subscription?
    private var governor: BitrateGovernor?
    private var ticker: RepeatedTask?
    private var lastFrame: (count: Int, time: MediaTime) = (0, .zero)
    private var isClosing = false
    private var isOver = false
    private var finishedBytes = 0

    init(
        request: PushRequest, id: UInt64, settings: PublishingSettings, hubs: @escaping PushManager.Hubs,
        loop: any EventLoop, clock: any MediaClock, onEvent: @escaping (Event) -> Void
    ) {
        self.request = request
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

    /// The subscription's, once it has ended.
    private var finalCounters: Subscription.Counters?

    var counters: Counters {
        let frames = subscription?.counters ?? finalCounters
        return Counters(
            bytesSent: finishedBytes + (transport?.bytesSent ?? 0), framesSent: frames?.framesSent ?? 0,
            framesDropped: frames?.framesDropped ?? 0)
    }

    // MARK: From the session's driver

    func start() { connect(RTMPAuthentication()) }

    /// In order where the service already takes the stream. `closed` follows.
    func close() {
        guard !isClosing, !isOver else { return }
        isClosing = true
        unsubscribe()
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
        let transport: any PushLinkTransport =
            target.scheme.isRTMP
            ? RTMPConnection(target: target, authentication: authentication, settings: settings, clock: clock)
            : HTTPFLVPush(target: target, settings: settings, clock: clock)
        transport.delegate = self
        self.transport = transport
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
                    if !target.scheme.isRTMP { try pipeline.addHTTPClientHandlers() }
                    try pipeline.addHandler(handler.value)
                }
            }
            .connect(host: target.host, port: target.port)
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
        guard !isClosing, !isOver, let transport else { return }
        let name = "channel \(request.channel), \(request.quality.rawValue)"
        guard let hub = hubs(request.channel, request.quality) else {
            fail(LinkFailure(.noData, "\(name): the configuration has no such stream"))
            return
        }
        self.hub = hub
        lastFrame = (0, clock.now())
        guard
            let subscription = hub.subscribe(
                transport, on: loop, start: .freshKeyFrame, tracks: request.tracks, limits: .push,
                origin: .milliseconds(Int64(request.startTimestamp)))
        else {
            fail(LinkFailure(.noData, "\(name): the stream has ended"))
            return
        }
        self.subscription = subscription
        if settings.adaptBitrate, request.tracks != .audio, let video = hub.format.video, video.bitrate > 0 {
            let audio = request.tracks == .all ? hub.format.audio?.bitrate ?? 0 : 0
            governor = BitrateGovernor(configured: video.bitrate, reserved: audio)
        }
        let shortest = min(settings.noDataTimeout, settings.stallTimeout).nanoseconds / 4
        let period = TimeAmount.nanoseconds(max(min(shortest, 250_000_000), 5_000_000))
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.tick() }
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

    func transportBecameWritable() { subscription?.sinkBecameWritable() }

    func transportStreamEnded() {
        fail(
            LinkFailure(
                .noData, "channel \(request.channel), \(request.quality.rawValue): the stream has ended"))
    }

    func transportClosed() {}

    // MARK: Watching

    private func tick() {
        guard let subscription, let transport, !isOver else { return }
        let now = clock.now()
        let counters = subscription.counters
        let count = counters.framesSent + counters.framesDropped
        // Frames that wait for a slow link are frames.
        if count != lastFrame.count || subscription.queuedBytes > 0 {
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
        govern(subscription, transport, now: now)
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

    private func unsubscribe() {
        ticker?.cancel()
        ticker = nil
        if let subscription {
            finalCounters = subscription.counters
            subscription.cancel()
        }
        subscription = nil
        if governor?.ceiling != nil { hub?.setBitrateCeiling(nil, for: id) }
        governor = nil
        hub = nil
    }

    private func fail(_ failure: LinkFailure) {
        guard !isClosing, !isOver else { return }
        // First, because closing makes the transport report an end of its own.
        isOver = true
        unsubscribe()
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
