import Media
import Streaming

/// Commands on their way to a head's thread. A release overtakes all that wait: they are answered that it came first.
final class HeadInbox: Sendable {
    struct Waiting: Sendable {
        let command: PTZCommand
        let holder: MotionHolder
        let answer: @Sendable (Result<PTZReport, PTZRefusal>) -> Void
    }

    struct Delivery {
        var commands: [Waiting] = []
        var lost: [MotionHolder] = []
        /// So many holders left at once that they were not counted any more.
        var hasLostMore = false
        var isClosed = false

        var isEmpty: Bool { commands.isEmpty && lost.isEmpty && !hasLostMore && !isClosed }
    }

    static let maximumCommands = 32
    static let maximumLost = 64

    private let monitor = Monitor(Delivery())

    /// From any thread; returns at once. The answer may come before that.
    func put(_ waiting: Waiting) {
        let refused: (waiting: [Waiting], why: PTZRefusal) = monitor.withLock { state in
            if state.isClosed { return ([waiting], .closed) }
            var overtaken: [Waiting] = []
            if waiting.command == .release { swap(&overtaken, &state.commands) }
            // More than anybody gives in earnest: the newest win.
            if state.commands.count >= Self.maximumCommands { overtaken.append(state.commands.removeFirst()) }
            state.commands.append(waiting)
            return (overtaken, .overtaken)
        }
        monitor.notify()
        for other in refused.waiting { other.answer(.failure(refused.why)) }
    }

    /// What this holder commanded and is not carried out yet never will be.
    func lost(_ holder: MotionHolder) {
        let overtaken: [Waiting] = monitor.withLock { state in
            if state.lost.count >= Self.maximumLost {
                state.hasLostMore = true
            } else if !state.lost.contains(holder) {
                state.lost.append(holder)
            }
            let overtaken = state.commands.filter { $0.holder == holder }
            state.commands.removeAll { $0.holder == holder }
            return overtaken
        }
        monitor.notify()
        for other in overtaken { other.answer(.failure(.overtaken)) }
    }

    func close() {
        monitor.withLock { $0.isClosed = true }
        monitor.notify()
    }

    /// On the head's thread: all there is as soon as there is something, nothing at `deadline`.
    func take(until deadline: MediaTime) -> Delivery {
        monitor.wait(until: deadline) { state in
            guard !state.isEmpty else { return nil }
            let delivery = state
            state = Delivery(isClosed: state.isClosed)
            return delivery
        } ?? Delivery()
    }
}
