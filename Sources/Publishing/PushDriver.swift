import Logging
import Media
import NIOCore
import Streaming

/// Carries out what a push's session decides: connections, timers, reports. All of it happens on one event loop; the
/// functions marked so may be called from anywhere.
final class PushDriver: @unchecked Sendable {  // every stored variable is touched on `loop` only
    let id: UInt64
    /// As it was commanded.
    let request: PushRequest
    let loop: any EventLoop
    private let settings: PublishingSettings
    private let hubs: PushManager.Hubs
    private let clock: any MediaClock
    private let random: @Sendable () -> Double
    private let report: @Sendable (PushEvent) -> Void

    private var session: PushSession
    private var link: PushLink?
    private var timer: Scheduled<Void>?
    private var waiters: [EventLoopPromise<Void>] = []
    private var closers: [EventLoopPromise<Void>] = []
    private var finished = PushLink.Counters()
    private var lastFailure: LinkFailure?
    private let attachment: PushAttachment
    /// With what was changed since.
    private var current: PushRequest
    private var isPaused = false

    init(
        id: UInt64, request: PushRequest, attachment: PushAttachment, patience: PushPatience,
        settings: PublishingSettings, hubs: @escaping PushManager.Hubs, loop: any EventLoop, clock: any MediaClock,
        random: @escaping @Sendable () -> Double, report: @escaping @Sendable (PushEvent) -> Void
    ) {
        self.id = id
        self.request = request
        current = request
        self.attachment = attachment
        self.settings = settings
        self.hubs = hubs
        self.loop = loop
        self.clock = clock
        self.random = random
        self.report = report
        session = PushSession(patience: patience, backoff: Backoff(settings.retry), now: clock.now())
    }

    // MARK: From anywhere

    func start() {
        loop.execute { self.perform(self.session.start()) }
    }

    /// Succeeds once the push publishes; fails with a `PushError` at the first failure.
    func whenPublishing() -> EventLoopFuture<Void> {
        loop.flatSubmit {
            let promise = self.loop.makePromise(of: Void.self)
            switch self.session.state {
            case .publishing: promise.succeed()
            case .connecting: self.waiters.append(promise)
            case .waiting, .closed: promise.fail(self.error)
            }
            return promise.futureResult
        }
    }

    func join(keepsTrying: Bool) {
        loop.execute { self.perform(self.session.joined(keepsTrying: keepsTrying, now: self.clock.now())) }
    }

    /// Succeeds once the connection is gone too.
    func close(_ cause: CloseCause) -> EventLoopFuture<Void> {
        loop.flatSubmit {
            self.perform(self.session.close(cause, now: self.clock.now()))
            guard self.link != nil else { return self.loop.makeSucceededVoidFuture() }
            let promise = self.loop.makePromise(of: Void.self)
            self.closers.append(promise)
            return promise.futureResult
        }
    }

    /// Another stream or other tracks on the same connection, from a key frame on.
    func change(quality: StreamQuality, tracks: TrackSelection) {
        loop.execute {
            guard self.current.quality != quality || self.current.tracks != tracks else { return }
            self.current.quality = quality
            self.current.tracks = tracks
            self.link?.change(self.current)
        }
    }

    /// The connection stays, and nothing is sent on it.
    func setPaused(_ isPaused: Bool) {
        loop.execute {
            self.isPaused = isPaused
            self.link?.setPaused(isPaused)
        }
    }

    func requestKeyFrame() {
        loop.execute { self.hubs(self.current.channel, self.current.quality)?.requestKeyFrame() }
    }

    func snapshot() -> EventLoopFuture<PushSnapshot> {
        loop.submit { self.makeSnapshot() }
    }

    // MARK: On the loop

    private func perform(_ actions: [PushSession.Action]) {
        for action in actions {
            switch action {
            case .connect: connect()
            case .disconnect: link?.close()
            case .wake(let time):
                timer?.cancel()
                let delay = max((time - clock.now()).nanoseconds, 0)
                timer = loop.scheduleTask(in: .nanoseconds(delay)) { self.wake() }
            case .report(let kind): tell(kind)
            }
        }
    }

    private func wake() {
        let now = clock.now()
        if let retryAt = session.retryAt, retryAt > now {
            // The timer's clock and ours may differ by a little.
            perform([.wake(at: retryAt)])
        } else {
            perform(session.wake(now: now))
        }
    }

    private func connect() {
        timer?.cancel()
        let link = PushLink(
            request: current, attachment: attachment, id: id, settings: settings, hubs: hubs, loop: loop, clock: clock,
            // As long as there is a connection, its driver stays; `retire` breaks the circle.
            onEvent: { event in self.handle(event) })
        self.link = link
        link.setPaused(isPaused)
        link.start()
    }

    private func handle(_ event: PushLink.Event) {
        switch event {
        case .publishing: perform(session.published(now: clock.now()))
        case .failed(let failure):
            retire()
            lastFailure = failure
            perform(session.failed(failure, now: clock.now(), random: random()))
            settleWaiters(.failure(error))
        case .finished:
            perform(
                session.close(CloseCause(.finished, "all that was asked for has been sent"), now: clock.now()))
        case .closed:
            retire()
            for promise in closers { promise.succeed() }
            closers = []
        }
    }

    private func retire() {
        if let counters = link?.counters {
            finished.bytesSent += counters.bytesSent
            finished.framesSent += counters.framesSent
            finished.framesDropped += counters.framesDropped
        }
        link = nil
    }

    private func tell(_ kind: PushEvent.Kind) {
        switch kind {
        case .publishing: settleWaiters(.success(()))
        case .closed:
            timer?.cancel()
            settleWaiters(.failure(error))
        case .opened, .waiting: break
        }
        report(PushEvent(kind: kind, push: makeSnapshot()))
    }

    private func settleWaiters(_ result: Result<Void, any Error>) {
        let all = waiters
        waiters = []
        for promise in all { promise.completeWith(result) }
    }

    private var error: PushError {
        let cause = session.cause ?? CloseCause(.unreachable, "\(request.target.redacted) is not connected")
        let isTimeout = lastFailure.map { $0.cause == cause && $0.isTimeout } ?? false
        return .failed(cause, isTimeout: isTimeout)
    }

    private func makeSnapshot() -> PushSnapshot {
        let now = clock.now()
        var counters = link?.counters ?? PushLink.Counters()
        counters.bytesSent += finished.bytesSent
        counters.framesSent += finished.framesSent
        counters.framesDropped += finished.framesDropped
        return PushSnapshot(
            id: String(id), channel: current.channel, quality: current.quality, tracks: current.tracks,
            target: request.target.redacted, state: session.state, sinceSeconds: (now - session.since).seconds,
            attempts: session.attempts, bytesSent: counters.bytesSent, framesSent: counters.framesSent,
            framesDropped: counters.framesDropped,
            retryInSeconds: session.retryAt.map { max(($0 - now).seconds, 0) }, cause: session.cause,
            owner: request.owner, isPaused: isPaused)
    }
}
