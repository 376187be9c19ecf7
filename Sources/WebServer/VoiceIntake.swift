import ControlProtocol
import NIOCore
import Talkback

/// Between a connection on which somebody talks and the place to talk: asks for the place, hands the body over, and says
/// when it is over. Belongs to the connection's event loop.
final class VoiceIntake: @unchecked Sendable {
    enum Event {
        /// The speaker is open.
        case opened
        case refused(TalkRefusal)
        /// Nothing more is taken.
        case ended(TalkEndReport)
    }

    private enum State {
        /// With what came before the speaker was open.
        case opening(ByteBuffer, isComplete: Bool)
        case open(TalkSession)
        case over
    }

    /// What may come before the speaker is open; the rest is let go.
    static let maximumEarlyBytes = 64 << 10

    private let loop: any EventLoop
    private let onEvent: (Event) -> Void
    private let seat: VoiceSeat?
    private var place: ViewerPlace?
    private var state = State.opening(ByteBuffer(), isComplete: false)

    /// - Parameters:
    ///   - seat: taken until `leave`.
    ///   - source: the sender's name for people.
    ///   - onEvent: called on the loop, not before this returns.
    init(
        _ slot: TalkSlot, by holder: TalkHolder, seat: VoiceSeat?, pcmRate: Int?, source: String,
        on loop: any EventLoop,
        onEvent: @escaping (Event) -> Void
    ) {
        self.loop = loop
        self.onEvent = onEvent
        self.seat = seat
        place = seat?.take()
        guard seat == nil || place != nil else {
            loop.execute { self.answered(.failure(.deviceFull)) }
            return
        }
        Task { [self] in
            let result: Result<TalkSession, TalkRefusal>
            do throws(TalkRefusal) {
                result = .success(
                    try await slot.occupy(by: holder, source: source, pcmRate: pcmRate) { ending in
                        loop.execute { self.ended(ending) }
                    })
            } catch {
                result = .failure(error)
            }
            loop.execute { self.answered(result) }
        }
    }

    func take(_ bytes: ByteBuffer) {
        switch state {
        case .opening(var early, let isComplete):
            guard early.readableBytes + bytes.readableBytes <= Self.maximumEarlyBytes else { return }
            early.writeImmutableBuffer(bytes)
            state = .opening(early, isComplete: isComplete)
        case .open(let session): session.take(bytes)
        case .over: break
        }
    }

    /// That was the whole body.
    func finish() {
        switch state {
        case .opening(let early, _): state = .opening(early, isComplete: true)
        case .open(let session): session.finish()
        case .over: break
        }
    }

    /// The connection is gone; there will be no more events.
    func leave() {
        if case .open(let session) = state { session.leave() }
        state = .over
        if let place { seat?.registry.giveUpPlace(place) }
        place = nil
    }

    private func answered(_ result: Result<TalkSession, TalkRefusal>) {
        guard case .opening(let early, let isComplete) = state else { return }
        switch result {
        case .failure(let refusal):
            state = .over
            onEvent(.refused(refusal))
        case .success(let session):
            state = .open(session)
            onEvent(.opened)
            session.take(early)
            if isComplete { session.finish() }
            // It may have ended before it was known here to have begun.
            if let ending = session.ending { ended(ending) }
        }
    }

    private func ended(_ ending: TalkEnding) {
        guard case .open(let session) = state else { return }
        state = .over
        onEvent(.ended(TalkEndReport(cause: "\(ending)", talk: TalkbackReport.Talk(session.report))))
    }
}
