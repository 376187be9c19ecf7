import Media
import NIOCore

/// Gives a sink that of several streams of a channel which its path can carry, and changes between them at key frames.
/// To the sink it is one stream: time goes on, and where the pictures change their form, new headers say so.
///
/// Belongs to one event loop.
package final class AdaptiveFeed: FrameFeed {
    /// How often is looked whether the path keeps up.
    static let reviewInterval = TimeAmount.milliseconds(200)

    private let hubs: [StreamHub]
    private let loop: any EventLoop
    private let tracks: TrackSelection
    private let limits: Subscription.Limits
    private let clock: any MediaClock
    fileprivate let sink: any FrameSink
    private let onChange: (Int) -> Void

    private var choice: StreamChoice
    /// Whose frames the sink gets.
    private var current: Leg?
    /// Takes its place with its first frame.
    private var next: Leg?
    private var gone = Subscription.Counters()
    private var seenDrops = 0
    private var reviewer: RepeatedTask?
    private var hasEnded = false

    private var headers: StreamHeaders?
    private var base: MediaTime?
    private var lastTimes: (video: MediaTime?, audio: MediaTime?)
    private var lastStamps: (video: Int64, audio: Int64) = (-1, -1)

    /// Frames arrive during the call where the best stream's cache has some. Nil where there is no stream any more.
    ///
    /// - Parameters:
    ///   - hubs: the channel's streams, best first.
    ///   - onChange: told with the place of the stream that is sent from now on.
    package init?(
        _ sink: any FrameSink, hubs: [StreamHub], on loop: any EventLoop, tracks: TrackSelection,
        limits: Subscription.Limits, clock: any MediaClock = SystemMediaClock(),
        onChange: @escaping (Int) -> Void = { _ in }
    ) {
        self.sink = sink
        self.hubs = hubs
        self.loop = loop
        self.tracks = tracks
        self.limits = limits
        self.clock = clock
        self.onChange = onChange
        choice = StreamChoice(levels: hubs.count, now: clock.now())
        let leg = Leg(self, level: 0)
        current = leg
        guard subscribe(leg, start: .cachedGroup) else { return nil }
        guard hubs.count > 1 else { return }
        let own = NIOLoopBound(self, eventLoop: loop)
        reviewer = loop.scheduleRepeatedTask(
            initialDelay: Self.reviewInterval, delay: Self.reviewInterval
        ) { _ in own.value.review() }
    }

    private func subscribe(_ leg: Leg, start: Subscription.Start) -> Bool {
        guard leg.level < hubs.count else { return false }
        leg.subscription = hubs[leg.level].subscribe(leg, on: loop, start: start, tracks: tracks, limits: limits)
        let isThere = leg.subscription != nil
        if hasEnded { leg.cancel() }
        return isThere
    }

    // MARK: As a feed

    package var counters: Subscription.Counters { gone + (current?.counters ?? .init()) }
    package var queuedBytes: Int { current?.subscription?.queuedBytes ?? 0 }
    package var hasBacklog: Bool { current?.subscription?.hasBacklog ?? false }

    package func sinkBecameWritable() { current?.subscription?.sinkBecameWritable() }

    package func cancel() {
        guard !hasEnded else { return }
        hasEnded = true
        reviewer?.cancel()
        reviewer = nil
        gone = counters
        current?.cancel()
        current = nil
        next?.cancel()
        next = nil
    }

    // MARK: Choosing

    private func review() {
        guard !hasEnded, let subscription = current?.subscription else { return }
        let drops = counters.drops
        defer { seenDrops = drops }
        let level = choice.review(
            now: clock.now(), backlog: subscription.queuedSpan, hasDropped: drops > seenDrops)
        if let level { change(to: level) }
    }

    private func change(to level: Int) {
        next?.cancel()
        next = nil
        let leg = Leg(self, level: level)
        if level > (current?.level ?? 0) {
            // What waits is late already; the sooner it is out of the way, the sooner there is a picture again.
            replace(with: leg)
            _ = subscribe(leg, start: .freshKeyFrame)
        } else {
            next = leg
            if !subscribe(leg, start: .freshKeyFrame) { next = nil }
        }
    }

    private func replace(with leg: Leg) {
        if let old = current {
            gone = gone + old.counters
            old.cancel()
        }
        current = leg
        onChange(leg.level)
    }

    // MARK: From the legs

    fileprivate func isWritable(_ leg: Leg) -> Bool {
        guard !hasEnded else { return false }
        return leg === next || sink.isWritable
    }

    fileprivate func take(_ headers: StreamHeaders, from leg: Leg) {
        if leg === next {
            next = nil
            replace(with: leg)
        }
        if leg === current { self.headers = headers }
    }

    fileprivate func take(_ frame: StreamFrame, from leg: Leg) {
        guard leg === current, !hasEnded else { return }
        let base = self.base ?? frame.time
        self.base = base
        // Sound is the same in all streams, and of the last one some may have been sent already.
        guard frame.time >= base, isNew(frame) else { return }
        let stamp = timestamp(of: frame, base: base)
        if let headers {
            self.headers = nil
            sink.send(headers: headers, timestamp: stamp)
        }
        sink.send(frame: frame, timestamp: stamp)
    }

    private func isNew(_ frame: StreamFrame) -> Bool {
        let last = frame.kind == .video ? lastTimes.video : lastTimes.audio
        if let last, frame.time <= last { return false }
        if frame.kind == .video { lastTimes.video = frame.time } else { lastTimes.audio = frame.time }
        return true
    }

    /// Milliseconds from the first frame, never twice the same on one track.
    private func timestamp(of frame: StreamFrame, base: MediaTime) -> UInt32 {
        let exact = (frame.time - base).milliseconds
        switch frame.kind {
        case .video:
            lastStamps.video = max(exact, lastStamps.video + 1)
            return UInt32(truncatingIfNeeded: lastStamps.video)
        case .audio:
            lastStamps.audio = max(exact, lastStamps.audio + 1)
            return UInt32(truncatingIfNeeded: lastStamps.audio)
        }
    }

    fileprivate func flush(_ leg: Leg) { if leg === current, !hasEnded { sink.flush() } }

    fileprivate func ended(_ leg: Leg) {
        guard !hasEnded else { return }
        guard leg === current else {
            if leg === next { next = nil }
            return
        }
        // The channel stops, and with it all of its streams.
        cancel()
        sink.streamEnded()
    }
}

/// The subscription of one of the streams.
private final class Leg: FrameSink {
    let level: Int
    var subscription: Subscription?
    private unowned let feed: AdaptiveFeed

    init(_ feed: AdaptiveFeed, level: Int) {
        self.feed = feed
        self.level = level
    }

    /// The two hold each other until here.
    func cancel() {
        subscription?.cancel()
        subscription = nil
    }

    var counters: Subscription.Counters { subscription?.counters ?? .init() }
    var isWritable: Bool { feed.isWritable(self) }
    func send(headers: StreamHeaders, timestamp: UInt32) { feed.take(headers, from: self) }
    func send(frame: StreamFrame, timestamp: UInt32) { feed.take(frame, from: self) }
    func flush() { feed.flush(self) }
    func streamEnded() { feed.ended(self) }
}

extension Subscription.Counters {
    fileprivate static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.framesSent += b.framesSent
        sum.bytesSent += b.bytesSent
        sum.framesDropped += b.framesDropped
        sum.drops += b.drops
        sum.keyFramesSent += b.keyFramesSent
        return sum
    }
}
