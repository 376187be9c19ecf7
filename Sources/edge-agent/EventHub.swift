import ControlProtocol
import Synchronization

/// Passes events on to all who listen. A listener that is too slow loses the newest ones. Any thread.
final class EventHub: Sendable {
    private struct State: Sendable {
        var nextID: UInt64 = 1
        var nextListener = 0
        var listeners: [Int: AsyncStream<EventReport>.Continuation] = [:]
        var isClosed = false
    }

    /// How many events may wait for a listener.
    static let bufferedEvents = 256

    private let state = Mutex(State())

    func publish(
        _ event: String, channel: Int? = nil, device: String? = nil, detail: String? = nil, visitor: UInt32? = nil,
        push: PushReport? = nil
    ) {
        state.withLock { state in
            let report = EventReport(
                id: state.nextID, event: event, channel: channel, device: device, detail: detail, visitor: visitor,
                push: push)
            state.nextID += 1
            // Under the lock, so that all listeners see the same order; yielding does not block.
            for listener in state.listeners.values { listener.yield(report) }
        }
    }

    /// What happens from now on.
    func listen() -> AsyncStream<EventReport> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: EventReport.self, bufferingPolicy: .bufferingOldest(Self.bufferedEvents))
        let number: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
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

    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { listener.finish() }
    }
}
