import Media

/// The life of a push as a value: events in, actions out. Knows no connection and no clock but the times it is given.
package struct PushSession: Sendable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// On the way to the first picture at the service.
        case connecting
        case publishing
        /// For the next attempt.
        case waiting
        case closed
    }

    package enum Action: Sendable, Hashable {
        /// Make a connection.
        case connect
        /// End the connection there is, in order.
        case disconnect
        /// Call `wake` then.
        case wake(at: MediaTime)
        /// Tell who listens.
        case report(PushEvent.Kind)
    }

    package private(set) var state = State.connecting
    /// When `state` last changed.
    package private(set) var since: MediaTime
    package private(set) var attempts = 0
    package private(set) var retryAt: MediaTime?
    /// Why the last connection ended; nil again once a new one publishes.
    package private(set) var cause: CloseCause?
    package private(set) var patience: PushPatience

    private var backoff: Backoff
    private var pace = Backoff.Pace.normal
    private var reportedCause: CloseCause?

    package init(patience: PushPatience, backoff: Backoff, now: MediaTime) {
        self.patience = patience
        self.backoff = backoff
        since = now
    }

    package mutating func start() -> [Action] {
        attempts = 1
        return [.report(.opened), .connect]
    }

    /// The service accepted the stream and the first key frame is on its way there.
    package mutating func published(now: MediaTime) -> [Action] {
        guard state == .connecting else { return [] }
        enter(.publishing, now: now)
        cause = nil
        reportedCause = nil
        patience.published()
        return [.report(.publishing)]
    }

    /// The connection failed, or none came about.
    /// - Parameter random: evenly from 0 to 1.
    package mutating func failed(_ failure: LinkFailure, now: MediaTime, random: Double) -> [Action] {
        guard state == .connecting || state == .publishing else { return [] }
        if state == .publishing {
            backoff.sentWell(for: now - since)
            patience.wasPublishing(for: now - since)
        }
        cause = failure.cause
        pace = failure.pace
        guard let pause = patience.pause(after: failure, next: { backoff.next(pace, random: random) }) else {
            enter(.closed, now: now)
            return [.report(.closed)]
        }
        enter(.waiting, now: now)
        let retry = now + pause
        retryAt = retry
        // Once per reason, not per attempt.
        guard reportedCause?.code != failure.cause.code || reportedCause?.detail != failure.cause.detail else {
            return [.wake(at: retry)]
        }
        reportedCause = failure.cause
        return [.report(.waiting), .wake(at: retry)]
    }

    /// Does nothing before its time.
    package mutating func wake(now: MediaTime) -> [Action] {
        guard state == .waiting, let retryAt, now >= retryAt else { return [] }
        return connect(now: now)
    }

    /// Somebody commanded the same push anew. Joining one that waits for the network tries at once; a service that is
    /// busy or refuses is not hammered for it.
    package mutating func joined(keepsTrying keeps: Bool, now: MediaTime) -> [Action] {
        if keeps { patience = .endless }
        guard state == .waiting, pace == .normal else { return [] }
        return connect(now: now)
    }

    package mutating func close(_ cause: CloseCause, now: MediaTime) -> [Action] {
        let wasConnected = state == .connecting || state == .publishing
        guard state != .closed else { return [] }
        self.cause = cause
        enter(.closed, now: now)
        return wasConnected ? [.disconnect, .report(.closed)] : [.report(.closed)]
    }

    private mutating func connect(now: MediaTime) -> [Action] {
        enter(.connecting, now: now)
        attempts += 1
        return [.connect]
    }

    private mutating func enter(_ state: State, now: MediaTime) {
        self.state = state
        since = now
        retryAt = nil
    }
}
