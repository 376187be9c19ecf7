import DequeModule
import Media
import NIOCore
import Synchronization

/// Between those who send a talk and the thread that plays it: what came, bounded, and how the talk is doing. Any thread.
final class TalkInbox: Sendable {
    /// Something that came, and when.
    struct Arrival: Sendable {
        let piece: TalkPiece
        let time: MediaTime
    }

    private struct State {
        var body: TalkBody
        var form: TalkReport.Form?
        var waiting = Deque<Arrival>()
        var waitingBytes = 0
        var bytes = 0
        var overflow = 0
        var last: MediaTime
        var figures = TalkFigures()
        var isComplete = false
        var ending: TalkEnding?
    }

    /// What may wait for the thread that plays, which looks every few milliseconds; of more, the oldest is let go.
    static let maximumWaitingBytes = 256 << 10

    let holder: TalkHolder
    let source: String
    let began: MediaTime
    private let clock: any MediaClock
    private let state: Mutex<State>
    private let onEnd: @Sendable (TalkInbox, TalkEnding) -> Void

    init(
        holder: TalkHolder, source: String, pcmRate: Int, clock: any MediaClock,
        onEnd: @escaping @Sendable (TalkInbox, TalkEnding) -> Void
    ) {
        self.holder = holder
        self.source = source
        self.clock = clock
        self.onEnd = onEnd
        began = clock.now()
        state = Mutex(State(body: TalkBody(pcmRate: pcmRate), last: began))
    }

    /// The next bytes of the body.
    func take(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        let now = clock.now()
        let failure: TalkBody.ParseError? = state.withLock { state in
            guard state.ending == nil, !state.isComplete else { return nil }
            state.last = now
            state.bytes += bytes.readableBytes
            do throws(TalkBody.ParseError) {
                let pieces = try state.body.take(bytes)
                if state.form == nil, let isFLV = state.body.isFLV { state.form = isFLV ? .flv : .pcm }
                for piece in pieces { Self.add(Arrival(piece: piece, time: now), to: &state) }
                return nil
            } catch {
                return error
            }
        }
        if let failure { end(.broken("\(failure)")) }
    }

    func take(samples: [Int16], rate: Int) {
        guard !samples.isEmpty, TalkSettings.rates.contains(rate) else { return }
        let now = clock.now()
        state.withLock { state in
            guard state.ending == nil, !state.isComplete else { return }
            state.form = .samples
            state.last = now
            state.bytes += 2 * samples.count
            Self.add(Arrival(piece: .samples(samples, rate: rate), time: now), to: &state)
        }
    }

    private static func add(_ arrival: Arrival, to state: inout State) {
        state.waiting.append(arrival)
        state.waitingBytes += arrival.piece.bytes
        while state.waitingBytes > maximumWaitingBytes, let oldest = state.waiting.popFirst() {
            state.waitingBytes -= oldest.piece.bytes
            state.overflow += 1
        }
    }

    /// Nothing more will come; the talk ends when all of it was heard.
    func complete() { state.withLock { $0.isComplete = true } }

    /// The sender is gone, which is the end unless he said that this was all.
    func leave() { if !isOver { end(.left) } }

    /// The first ending counts.
    func end(_ ending: TalkEnding) {
        let isFirst = state.withLock { state in
            guard state.ending == nil else { return false }
            state.ending = ending
            return true
        }
        if isFirst { onEnd(self, ending) }
    }

    var report: TalkReport {
        let now = clock.now()
        return state.withLock { state in
            TalkReport(
                holder: holder, source: source, form: state.form, duration: now - began, bytes: state.bytes,
                figures: state.figures)
        }
    }

    // MARK: For the thread that plays

    /// What came since the last call.
    func collect() -> Deque<Arrival> {
        state.withLock { state in
            defer {
                state.waiting = []
                state.waitingBytes = 0
            }
            return state.waiting
        }
    }

    /// When something came last.
    var lastArrival: MediaTime { state.withLock { $0.last } }
    /// Nothing comes after what `collect` gives next.
    var isOver: Bool { state.withLock { $0.isComplete || $0.ending != nil } }
    var ending: TalkEnding? { state.withLock { $0.ending } }

    func update(_ figures: TalkFigures) { state.withLock { $0.figures = figures } }
}
