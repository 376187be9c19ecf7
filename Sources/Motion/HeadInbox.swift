import Media
import Streaming

/// Commands on their way to a head's thread. A release overtakes all that wait: they are answered that it came first.
package final class HeadInbox: Sendable {
    package struct Waiting: Sendable {
        package let command: PTZCommand
        package let holder: MotionHolder
        package let answer: @Sendable (Result<PTZReport, PTZRefusal>) -> Void

        package init(
            command: PTZCommand, holder: MotionHolder,
            answer: @escaping @Sendable (Result<PTZReport, PTZRefusal>) -> Void
        ) {
            self.command = command
            self.holder = holder
            self.answer = answer
        }
    }

    package struct Delivery {
        package var commands: [Waiting] = []
        package var lost: [MotionHolder] = []
        /// So many holders left at once that they were not counted any more.
        package var hasLostMore = false
        package var isClosed = false

        var isEmpty: Bool { commands.isEmpty && lost.isEmpty && !hasLostMore && !isClosed }
    }

    package static let maximumCommands = 32
    package static let maximumLost = 64

    private let monitor = Monitor(Delivery())

    package init() {}

    /// From any thread; returns at once. The answer may come before that.
    package func put(_ waiting: Waiting) {
        let refused: (waiting: [Waiting], why: PTZRefusal) = monitor.withLock { state in
            if state.isClosed { return ([waiting], .closed) }
            var overtaken: [Waiting] = []
            if waiting.command.isRelease {
                swap(&overtaken, &state.commands)
            } else if state.commands.count >= Self.maximumCommands {
                // More than anybody gives in earnest: the newest motion wins. What stops one is never let go.
                guard let oldest = state.commands.firstIndex(where: \.command.needsHolder) else {
                    return ([waiting], .overtaken)
                }
                overtaken.append(state.commands.remove(at: oldest))
            }
            state.commands.append(waiting)
            return (overtaken, .overtaken)
        }
        monitor.notify()
        for other in refused.waiting { other.answer(.failure(refused.why)) }
    }

    /// Motions that this holder commanded and that have not begun never will.
    package func lost(_ holder: MotionHolder) {
        let overtaken: [Waiting] = monitor.withLock { state in
            if state.lost.count >= Self.maximumLost {
                state.hasLostMore = true
            } else if !state.lost.contains(holder) {
                state.lost.append(holder)
            }
            func isLost(_ waiting: Waiting) -> Bool { waiting.holder == holder && waiting.command.needsHolder }
            let overtaken = state.commands.filter(isLost)
            state.commands.removeAll(where: isLost)
            return overtaken
        }
        monitor.notify()
        for other in overtaken { other.answer(.failure(.overtaken)) }
    }

    package func close() {
        monitor.withLock { $0.isClosed = true }
        monitor.notify()
    }

    /// On the head's thread: all there is as soon as there is something, nothing at `deadline`.
    package func take(until deadline: MediaTime) -> Delivery {
        monitor.wait(until: deadline) { state in
            guard !state.isEmpty else { return nil }
            let delivery = state
            state = Delivery(isClosed: state.isClosed)
            return delivery
        } ?? Delivery()
    }
}
