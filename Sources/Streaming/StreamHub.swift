import Containers
import Media
import NIOCore
import Synchronization

/// What a hub asks of the encoder behind it. Called from any thread, must not block.
package protocol StreamControl: AnyObject, Sendable {
    /// The first subscriber came, or the last one left.
    func demandChanged(_ isWanted: Bool)
    /// Make the next picture a key frame. The encoder limits how often it does so.
    func requestKeyFrame()
    /// The consumer's path carries no more than this many bits a second; nil lifts the ceiling. The lowest one counts.
    func setBitrateCeiling(_ bitsPerSecond: Int?, for consumer: UInt64)
}

/// The meeting point of one stream's frames and all who want them. A frame is wrapped once here and shared.
///
/// `publish` is called by encoder threads; `subscribe` on the subscriber's event loop. The hub hops to each loop once
/// per frame, whatever the number of subscribers there. Nothing that comes in ever waits for what goes out.
package final class StreamHub: Sendable {
    /// Such as "0/main".
    package let name: String
    private let expectsVideo: Bool
    private let expectsAudio: Bool
    private let state: Mutex<State>
    private let control = Mutex<Weak>(Weak())
    private let delivery = Mutex(StageMeter())
    private let clock = SystemMediaClock()

    private struct Weak: Sendable {
        weak var control: (any StreamControl)?
    }

    private struct State: Sendable {
        var format = StreamFormat()
        var headers: StreamHeaderSet?
        var cache: GOPCache
        var groups: [Group] = []
        var sequence: UInt64 = 0
        var meter = StreamMeter()
        var isClosed = false
    }

    private struct Joined: Sendable {
        let group: LoopSubscribers
        let frames: [StreamFrame]
        let nextSequence: UInt64
        let isFirst: Bool
    }

    private struct Group: Sendable {
        let subscribers: LoopSubscribers
        var count = 0
    }

    package init(name: String, hasVideo: Bool, hasAudio: Bool, cache: GOPCache = GOPCache()) {
        self.name = name
        expectsVideo = hasVideo
        expectsAudio = hasAudio
        state = Mutex(State(cache: cache))
    }

    /// The encoder to be asked; held weakly.
    package func setControl(_ control: (any StreamControl)?) {
        self.control.withLock { $0.control = control }
    }

    package var format: StreamFormat { state.withLock { $0.format } }
    package var subscriberCount: Int { state.withLock { $0.groups.reduce(0) { $0 + $1.count } } }
    package var statistics: StreamStatistics {
        state.withLock { state in
            state.meter.statistics(
                subscribers: state.groups.reduce(0) { $0 + $1.count }, cachedBytes: state.cache.bytes)
        }
    }

    // MARK: From the encoders

    /// New parameter sets; they reach subscribers with the next key frame. The cache of the old ones is let go.
    package func setFormat(video: VideoFormat) {
        setFormat { $0.video = video }
    }

    package func setFormat(audio: AudioFormat) {
        setFormat { $0.audio = audio }
    }

    private func setFormat(_ change: (inout StreamFormat) -> Void) {
        state.withLock { state in
            let old = state.format
            change(&state.format)
            guard state.format != old else { return }
            state.cache.clear()
            let isWhole = (state.format.video != nil) == expectsVideo && (state.format.audio != nil) == expectsAudio
            state.headers = isWhole ? StreamHeaderSet(state.format) : nil
        }
    }

    /// Hands a frame to all subscribers. Until every track's format is known, frames are let go.
    package func publish(_ packet: TaggedFrame) {
        let out: (StreamFrame, [LoopSubscribers])? = state.withLock { state in
            guard let headers = state.headers, !state.isClosed else { return nil }
            let frame = StreamFrame(packet, sequence: state.sequence, headers: headers)
            state.sequence += 1
            state.meter.count(frame)
            if expectsVideo { state.cache.append(frame) }
            return (frame, state.groups.compactMap { $0.count > 0 ? $0.subscribers : nil })
        }
        guard let (frame, groups) = out else { return }
        let published = clock.now()
        for group in groups {
            group.loop.execute { [self] in
                group.deliver(frame)
                guard frame.kind == .video else { return }
                let time = clock.now() - published
                delivery.withLock { $0.add(.deliver, time) }
            }
        }
    }

    /// How long it took lately from here to all consumers of a loop.
    package var deliveryTimes: [StageTimes] { delivery.withLock { $0.times } }

    /// The encoder stopped: what is cached is no start for anybody any more.
    package func encodingStopped() {
        state.withLock { $0.cache.clear() }
    }

    /// Ends the stream for every subscriber.
    package func close() {
        let groups = state.withLock { state in
            state.isClosed = true
            state.cache.clear()
            defer { state.groups = [] }
            return state.groups.map(\.subscribers)
        }
        for group in groups { group.loop.execute { group.end() } }
    }

    // MARK: From the subscribers

    /// Must be called on `loop`; so must everything on the subscription. Frames begin to arrive during the call where
    /// the cache has some. Nil where the hub is closed.
    package func subscribe(
        _ sink: any FrameSink, on loop: any EventLoop, start: Subscription.Start = .cachedGroup,
        tracks: TrackSelection = .all, limits: Subscription.Limits = .viewer, origin: MediaTime = .zero
    ) -> Subscription? {
        loop.preconditionInEventLoop()
        let joined: Joined? = state.withLock { state in
            guard !state.isClosed else { return nil }
            let isFirst = state.groups.allSatisfy { $0.count == 0 }
            let index: Int
            if let known = state.groups.firstIndex(where: { $0.subscribers.loop === loop }) {
                index = known
            } else {
                index = state.groups.count
                state.groups.append(Group(subscribers: LoopSubscribers(loop: loop)))
            }
            state.groups[index].count += 1
            return Joined(
                group: state.groups[index].subscribers,
                frames: start == .cachedGroup ? state.cache.start(within: limits) : [],
                nextSequence: state.sequence, isFirst: isFirst)
        }
        guard let joined else { return nil }
        let subscription = Subscription(
            hub: self, sink: sink, tracks: tracks, limits: limits, origin: origin,
            firstSequence: joined.nextSequence, loop: loop)
        joined.group.add(subscription)
        let control = self.control.withLock { $0.control }
        if joined.isFirst { control?.demandChanged(true) }
        if joined.frames.isEmpty, expectsVideo { control?.requestKeyFrame() }
        subscription.start(with: joined.frames)
        return subscription
    }

    func remove(_ subscription: Subscription) {
        let loop = subscription.loop
        let left: (LoopSubscribers, isLast: Bool)? = state.withLock { state in
            guard let index = state.groups.firstIndex(where: { $0.subscribers.loop === loop }) else { return nil }
            state.groups[index].count -= 1
            return (state.groups[index].subscribers, state.groups.allSatisfy { $0.count == 0 })
        }
        guard let (group, isLast) = left else { return }
        group.remove(subscription)
        if isLast { control.withLock { $0.control }?.demandChanged(false) }
    }

    /// A consumer whose path is poor asks for less; see `StreamControl`.
    package func setBitrateCeiling(_ bitsPerSecond: Int?, for consumer: UInt64) {
        control.withLock { $0.control }?.setBitrateCeiling(bitsPerSecond, for: consumer)
    }

    package func requestKeyFrame() {
        control.withLock { $0.control }?.requestKeyFrame()
    }
}

/// The subscriptions of one hub on one event loop; touched only there.
private final class LoopSubscribers: @unchecked Sendable {
    let loop: any EventLoop
    private var subscriptions: [Subscription] = []

    init(loop: any EventLoop) { self.loop = loop }

    func add(_ subscription: Subscription) { subscriptions.append(subscription) }

    func remove(_ subscription: Subscription) {
        guard let index = subscriptions.firstIndex(where: { $0 === subscription }) else { return }
        subscriptions.swapAt(index, subscriptions.count - 1)
        subscriptions.removeLast()
    }

    func deliver(_ frame: StreamFrame) {
        for subscription in subscriptions { subscription.deliver(frame) }
    }

    func end() {
        let all = subscriptions
        subscriptions = []
        for subscription in all { subscription.hubEnded() }
    }
}
