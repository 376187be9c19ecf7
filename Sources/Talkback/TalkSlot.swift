import Devices
import Logging
import Media
import Synchronization

/// Plays talks, one at a time; on a thread of its own.
protocol TalkPlayer: Sendable {
    /// Opens the speaker, where it is not open yet, and begins to play. Nil when it is really open.
    func begin(_ inbox: TalkInbox) async -> TalkRefusal?
    /// Nothing is played after this, and the speaker is closed. Blocks, a second at most.
    func close()
}

/// Of a device without a speaker.
private struct NoSpeaker: TalkPlayer {
    func begin(_ inbox: TalkInbox) async -> TalkRefusal? { .noSpeaker }
    func close() {}
}

/// The one place to talk that a device has, for all viewers and platforms. Any thread.
package final class TalkSlot: Sendable {
    private struct State {
        var inbox: TalkInbox?
        /// Told when the device ends the talk.
        var onEnd: (@Sendable (TalkEnding) -> Void)?
        var isClosed = false
        var counts = Counts()
    }

    /// Since the beginning.
    package struct Counts: Sendable, Hashable {
        package var begun = 0
        package var refused = 0
    }

    package let settings: TalkSettings
    private let player: any TalkPlayer
    private let clock: any MediaClock
    private let logger: Logger
    private let onChange: @Sendable (TalkChange) -> Void
    private let state = Mutex(State())

    init(
        settings: TalkSettings, player: any TalkPlayer, clock: any MediaClock, logger: Logger,
        onChange: @escaping @Sendable (TalkChange) -> Void
    ) {
        self.settings = settings
        self.player = player
        self.clock = clock
        self.logger = logger
        self.onChange = onChange
    }

    /// The slot of a device with this speaker. Nobody can talk where `opener` is nil.
    ///
    /// - Parameters:
    ///   - farEnd: told what is played, for those who take its echo out of microphones; of the speaker's rate.
    ///   - onChange: called from any thread.
    package convenience init(
        settings: TalkSettings, opener: (any SpeakerOpening)?, farEnd: FarEnd?,
        clock: any MediaClock = SystemMediaClock(), logger: Logger,
        onChange: @escaping @Sendable (TalkChange) -> Void = { _ in }
    ) {
        let player: any TalkPlayer =
            if let opener {
                SpeakerPlayer(settings: settings, opener: opener, farEnd: farEnd, clock: clock, logger: logger)
            } else {
                NoSpeaker()
            }
        self.init(settings: settings, player: player, clock: clock, logger: logger, onChange: onChange)
    }

    /// Takes the place. Returns when the speaker is open: whoever is told so can speak.
    ///
    /// A holder that has the place already begins anew, since its old connection may only seem to be alive.
    /// - Parameters:
    ///   - source: the sender's name for people, such as an address.
    ///   - pcmRate: samples a second of raw PCM; nil for the configured ones. One of `TalkSettings.rates`.
    ///   - onEnd: called once, from any thread, when the talk ends, whoever ended it.
    package func occupy(
        by holder: TalkHolder, source: String, pcmRate: Int? = nil,
        onEnd: @escaping @Sendable (TalkEnding) -> Void = { _ in }
    ) async throws(TalkRefusal) -> TalkSession {
        let rate = pcmRate.map { min(max($0, TalkSettings.rates.lowerBound), TalkSettings.rates.upperBound) }
        let inbox = TalkInbox(holder: holder, source: source, pcmRate: rate ?? settings.pcmRate, clock: clock) {
            [weak self] in self?.ended($0, $1)
        }
        if let last = state.withLock({ $0.inbox }) {
            // Only its last words are still being heard.
            if last.isOver { last.end(.finished) } else if last.holder == holder { last.end(.replaced) }
        }
        let refusal: TalkRefusal? = state.withLock { state in
            if state.isClosed { return .agentStops }
            if let other = state.inbox { return .busy(other.holder) }
            state.inbox = inbox
            state.onEnd = onEnd
            return nil
        }
        if let refusal { throw refused(refusal) }
        if let refusal = await player.begin(inbox) {
            inbox.end(.neverBegan)
            throw refused(refusal)
        }
        state.withLock { $0.counts.begun += 1 }
        let session = TalkSession(inbox)
        if inbox.ending == nil {
            logger.info("a talk begins", metadata: ["from": "\(source)"])
            onChange(.began(inbox.report))
        }
        return session
    }

    private func refused(_ refusal: TalkRefusal) -> TalkRefusal {
        state.withLock { $0.counts.refused += 1 }
        return refusal
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// Nil while nobody talks; last words that are still being heard keep nobody out.
    package var current: TalkReport? {
        guard let inbox = state.withLock({ $0.inbox }), !inbox.isOver else { return nil }
        return inbox.report
    }

    /// Ends the talk of `holder`, if it is the one who talks.
    package func end(_ holder: TalkHolder) {
        state.withLock { $0.inbox?.holder == holder ? $0.inbox : nil }?.end(.left)
    }

    /// Ends whatever talk there is.
    package func hangUp() { state.withLock { $0.inbox }?.end(.hungUp) }

    /// Ends the talk and refuses all others from now on. Blocks, a second at most.
    package func close() {
        let inbox = state.withLock { state in
            state.isClosed = true
            return state.inbox
        }
        inbox?.end(.agentStops)
        player.close()
    }

    private func ended(_ inbox: TalkInbox, _ ending: TalkEnding) {
        let onEnd = state.withLock { state -> (@Sendable (TalkEnding) -> Void)? in
            guard state.inbox === inbox else { return nil }
            defer { (state.inbox, state.onEnd) = (nil, nil) }
            return state.onEnd
        }
        onEnd?(ending)
        guard ending != .neverBegan else { return }
        let report = inbox.report
        logger.info(
            "a talk ended",
            metadata: [
                "from": "\(inbox.source)", "cause": "\(ending)", "seconds": "\(report.duration.seconds)",
                "bytes": "\(report.bytes)",
            ])
        onChange(.ended(report, ending))
    }
}

/// What happened to the place.
package enum TalkChange: Sendable {
    case began(TalkReport)
    case ended(TalkReport, TalkEnding)
}
