import Devices
import Logging
import Media
import Streaming
import Synchronization

/// Plays talks on a thread of its own, `speaker`, which is there only while somebody talks and a little after.
final class SpeakerPlayer: TalkPlayer {
    private struct State {
        var request: Request?
        var thread: MediaThread?
        var isClosed = false
    }

    private struct Request {
        let inbox: TalkInbox
        let answer: Answer
    }

    /// The first answer counts.
    private final class Answer: Sendable {
        private let continuation: Mutex<CheckedContinuation<TalkRefusal?, Never>?>

        init(_ continuation: CheckedContinuation<TalkRefusal?, Never>) { self.continuation = Mutex(continuation) }

        func give(_ refusal: TalkRefusal?) {
            let continuation = self.continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: refusal)
        }
    }

    private let settings: TalkSettings
    private let opener: any SpeakerOpening
    private let farEnd: FarEnd?
    private let clock: any MediaClock
    private let logger: Logger
    private let monitor = Monitor(State())

    static let closeTimeout = MediaTime.seconds(1)

    /// - Parameter farEnd: told what is played; of the speaker's rate.
    init(
        settings: TalkSettings, opener: any SpeakerOpening, farEnd: FarEnd?, clock: any MediaClock, logger: Logger
    ) {
        self.settings = settings
        self.opener = opener
        self.farEnd = farEnd
        self.clock = clock
        self.logger = logger
    }

    func begin(_ inbox: TalkInbox) async -> TalkRefusal? {
        await withCheckedContinuation { continuation in
            let answer = Answer(continuation)
            let isAccepted = monitor.withLock { state in
                guard !state.isClosed else { return false }
                // One that was not even looked at has ended already, or this one could not have its place.
                state.request?.answer.give(nil)
                state.request = Request(inbox: inbox, answer: answer)
                if state.thread == nil { state.thread = MediaThread(name: "speaker", isUrgent: true) { self.run() } }
                return true
            }
            guard isAccepted else { return answer.give(.agentStops) }
            monitor.notify()
            Task {
                try? await Task.sleep(for: .nanoseconds(TalkSettings.openTimeout.nanoseconds))
                let limit = TalkSettings.openTimeout.milliseconds
                answer.give(.speakerUnavailable("it has not opened within \(limit) ms"))
            }
        }
    }

    func close() {
        let (thread, request) = monitor.withLock { state in
            state.isClosed = true
            defer { state.request = nil }
            return (state.thread, state.request)
        }
        request?.answer.give(.agentStops)
        monitor.notify()
        if thread?.join(timeout: Self.closeTimeout) == false {
            logger.error("the thread that plays is stuck in the speaker and is left to itself")
        }
    }

    // MARK: The thread

    private func run() {
        let work = SpeakerWork(settings: settings, opener: opener, farEnd: farEnd, clock: clock, logger: logger)
        while true {
            let (request, isClosed) = monitor.withLock { state in
                defer { state.request = nil }
                return (state.request, state.isClosed)
            }
            if let request { request.answer.give(work.begin(request.inbox)) }
            if isClosed { return work.close() }
            if work.isQuiet {
                // Before this thread counts as gone: the next one must find the speaker free.
                work.close()
                if retire() { return }
            } else if let pause = work.turn() {
                _ = monitor.wait(until: clock.now() + pause) { $0.request != nil || $0.isClosed ? true : nil }
            }
        }
    }

    /// False where somebody came in the meantime.
    private func retire() -> Bool {
        monitor.withLock { state in
            guard state.request == nil else { return false }
            state.thread = nil
            return true
        }
    }
}
