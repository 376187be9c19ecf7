import Synchronization

/// Passes events on to all who listen, in the same order to each. A listener that is too slow loses the newest ones. Any
/// thread; nobody waits.
package final class Broadcast<Event: Sendable>: Sendable {
    private struct State: Sendable {
        var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
        var nextListener = 0
        var isFinished = false
    }

    private let limit: Int
    private let state = Mutex(State())
    /// Held while an event goes out, so that all listeners see the same order.
    private let sending = Mutex(())

    /// - Parameter limit: how many events may wait for a listener.
    package init(limit: Int = 256) { self.limit = limit }

    /// What is sent from now on.
    package func listen() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(limit))
        let number: Int? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    package func send(_ event: Event) {
        sending.withLock { _ in
            // Without the listeners' lock: who ends a stream holds one of Swift's that this takes, and waits for ours.
            for listener in state.withLock({ $0.listeners.values }) { listener.yield(event) }
        }
    }

    /// All listeners' streams end, and those of who comes later.
    package func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { listener.finish() }
    }
}
