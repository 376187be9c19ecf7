import Media
import Publishing
import Testing

@Suite struct PushSessionTests {
    private func makeSession(_ patience: PushPatience = .endless) -> PushSession {
        PushSession(patience: patience, backoff: Backoff(Backoff.Settings()), now: .zero)
    }

    private let lost = LinkFailure(.networkLost, "gone")

    @Test func opensAndPublishes() {
        var session = makeSession(.once)
        #expect(session.start() == [.report(.opened), .connect])
        #expect(session.state == .connecting)
        #expect(session.published(now: .seconds(1)) == [.report(.publishing)])
        #expect(session.state == .publishing)
        #expect(session.since == .seconds(1))
        // From now on it is kept up.
        #expect(session.patience == .endless)
        #expect(session.failed(lost, now: .seconds(2), random: 0) == [.report(.waiting), .wake(at: .seconds(3))])
    }

    @Test func synchronousFailureIsTheEnd() {
        var session = makeSession(.once)
        _ = session.start()
        #expect(session.failed(lost, now: .seconds(1), random: 0) == [.report(.closed)])
        #expect(session.state == .closed)
        #expect(session.cause == lost.cause)
        #expect(session.wake(now: .seconds(100)).isEmpty)
        #expect(session.close(CloseCause(.requested, ""), now: .seconds(2)).isEmpty)
    }

    @Test func retriesForEverAndReportsOnce() {
        var session = makeSession()
        _ = session.start()
        var now = MediaTime.zero
        var pauses: [MediaTime] = []
        for attempt in 0..<10 {
            let actions = session.failed(lost, now: now, random: 0)
            #expect(actions.contains(.report(.waiting)) == (attempt == 0))
            guard let retry = session.retryAt else {
                Issue.record("no retry")
                return
            }
            #expect(session.wake(now: retry - .milliseconds(1)).isEmpty)
            pauses.append(retry - now)
            now = retry
            #expect(session.wake(now: now) == [.connect])
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30].map { .seconds($0) })
        #expect(session.attempts == 11)
    }

    @Test func goodSendingBeginsAnew() {
        var session = makeSession()
        _ = session.start()
        var now = MediaTime.zero
        for _ in 0..<5 {
            _ = session.failed(lost, now: now, random: 0)
            now = session.retryAt ?? now
            _ = session.wake(now: now)
        }
        _ = session.published(now: now)
        var short = session
        // 59 seconds of sending are not enough, 60 are.
        _ = short.failed(lost, now: now + .seconds(59), random: 0)
        #expect(short.retryAt == now + .seconds(59 + 30))
        _ = session.failed(lost, now: now + .seconds(60), random: 0)
        #expect(session.retryAt == now + .seconds(61))
    }

    @Test func busyServiceHasALadderOfItsOwn() {
        var session = makeSession()
        _ = session.start()
        let busy = LinkFailure(.refused, "in use", pace: .busy)
        var attempts = 0
        var now = MediaTime.zero
        // A service that holds the name for a minute sees few attempts.
        while now < .seconds(60) {
            attempts += 1
            _ = session.failed(busy, now: now, random: 1)
            now = session.retryAt ?? .seconds(60)
            _ = session.wake(now: now)
        }
        #expect(attempts <= 10)
        // Joining does not hammer it either, but a lost network is tried at once.
        _ = session.failed(busy, now: now, random: 0)
        #expect(session.joined(keepsTrying: true, now: now).isEmpty)
        now = session.retryAt ?? now
        _ = session.wake(now: now)
        _ = session.failed(lost, now: now, random: 0)
        #expect(session.joined(keepsTrying: true, now: now) == [.connect])
    }

    @Test func closes() {
        var session = makeSession()
        _ = session.start()
        var waiting = session
        let cause = CloseCause(.requested, "closed on command")
        #expect(session.close(cause, now: .seconds(1)) == [.disconnect, .report(.closed)])
        #expect(session.failed(lost, now: .seconds(2), random: 0).isEmpty)
        #expect(session.published(now: .seconds(2)).isEmpty)
        #expect(session.cause == cause)
        _ = waiting.failed(lost, now: .seconds(1), random: 0)
        #expect(waiting.close(cause, now: .seconds(1)) == [.report(.closed)])
        #expect(waiting.wake(now: .seconds(100)).isEmpty)
    }

    @Test(arguments: Backoff.Pace.allCases) func backoffIsCappedAndJittered(pace: Backoff.Pace) {
        let settings = Backoff.Settings()
        var early = Backoff(settings)
        var late = Backoff(settings)
        let cap: MediaTime = pace == .refused ? .seconds(300) : .seconds(30)
        for _ in 0..<100 {
            let long = early.next(pace, random: 0)
            let short = late.next(pace, random: 1)
            #expect(long <= cap)
            #expect(abs(short.seconds - long.seconds * 0.7) < 0.001)
        }
    }
}

@Suite struct BitrateGovernorTests {
    @Test func lowersToWhatTheLinkCarriesAndRaisesByTenths() {
        var governor = BitrateGovernor(configured: 2_000_000, reserved: 64_000)
        var now = MediaTime.zero
        #expect(governor.update(span: .milliseconds(200), bytesSent: 0, now: now) == nil)
        #expect(governor.update(span: .milliseconds(300), bytesSent: 0, now: now) == nil)
        now = .milliseconds(1500)
        // 1 Mbit/s over 1.5 s.
        let change = governor.update(span: .milliseconds(900), bytesSent: 187_500, now: now)
        let lowered = Int((1_000_000.0 - 64_000) * BitrateGovernor.share)
        #expect(change == .ceiling(lowered))
        var changes: [BitrateGovernor.Change] = []
        for _ in 0..<400 {
            now += .milliseconds(250)
            if let change = governor.update(span: .zero, bytesSent: 187_500, now: now) { changes.append(change) }
        }
        #expect(changes.first == .ceiling(lowered + lowered / 10))
        #expect(changes.last == .lift)
        #expect(changes.count == 10)
        #expect(governor.ceiling == nil)
    }

    @Test func neverBelowTheFloor() {
        var governor = BitrateGovernor(configured: 500_000)
        for step in 0..<20 {
            _ = governor.update(span: .seconds(2), bytesSent: 0, now: .seconds(Int64(2 * step)))
        }
        #expect(governor.ceiling == BitrateGovernor.floor)
    }
}

/// Of pushes that platforms command.
@Suite struct PushPatienceTests {
    private func makeSession() -> PushSession {
        PushSession(patience: .platform, backoff: Backoff(Backoff.Settings()), now: .zero)
    }

    @Test func platformsArePatientBrieflyOnly() {
        var session = makeSession()
        _ = session.start()
        let refused = LinkFailure(.unreachable, "nobody listens")
        for second in [0, 1] {
            let now = MediaTime.seconds(Int64(second))
            #expect(session.failed(refused, now: now, random: 0).contains(.wake(at: now + .seconds(1))))
            #expect(session.wake(now: now + .seconds(1)) == [.connect])
        }
        #expect(session.failed(refused, now: .seconds(2), random: 0) == [.report(.closed)])
        #expect(session.attempts == 3)
    }

    @Test func afterACutThereIsOneAttempt() {
        var session = makeSession()
        _ = session.start()
        let cut = LinkFailure(.networkLost, "cut")
        // Each time after it had published for a minute.
        for minute in 0..<3 {
            let now = MediaTime.seconds(Int64(minute * 100))
            _ = session.published(now: now)
            #expect(session.failed(cut, now: now + .seconds(60), random: 0).contains(.wake(at: now + .seconds(61))))
            #expect(session.wake(now: now + .seconds(61)) == [.connect])
        }
        #expect(session.failed(cut, now: .seconds(300), random: 0) == [.report(.closed)])
    }

    @Test func whatIsCutAgainAtOnceStaysAway() {
        var session = makeSession()
        _ = session.start()
        let cut = LinkFailure(.networkLost, "nobody takes the datagrams")
        _ = session.published(now: .zero)
        #expect(session.failed(cut, now: .zero, random: 0).contains(.wake(at: .seconds(1))))
        #expect(session.wake(now: .seconds(1)) == [.connect])
        _ = session.published(now: .seconds(1))
        #expect(session.failed(cut, now: .seconds(2), random: 0) == [.report(.closed)])
        #expect(session.attempts == 2)
    }

    @Test func whatTheServiceClosesStaysClosed() {
        var session = makeSession()
        _ = session.start()
        _ = session.published(now: .zero)
        #expect(session.failed(LinkFailure(.service, "closed"), now: .zero, random: 0) == [.report(.closed)])
    }
}
