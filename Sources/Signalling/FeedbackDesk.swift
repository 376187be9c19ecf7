import Media
import Synchronization

/// Messages from the device to viewers, outside request and answer. Who does not listen yet has them kept for a while.
/// From any thread.
package final class FeedbackDesk: Sendable {
    /// For each visitor, waiting or on the way to a listener; where there are more, the oldest is let go.
    package static let maximumMessages = 16
    package static let maximumMessageBytes = CommandText.maximumBytes
    /// How many visitors may have messages waiting.
    package static let maximumVisitors = 256
    /// As long as a call rings.
    package static let patience = MediaTime.seconds(60)

    fileprivate struct Waiting {
        let text: String
        let since: MediaTime
    }

    fileprivate struct State: Sendable {
        var listeners: [Int: (visitor: VisitorID, stream: AsyncStream<String>.Continuation)] = [:]
        var nextListener = 0
        var waiting: [VisitorID: [Waiting]] = [:]
    }

    private let state = Mutex(State())
    private let clock: any MediaClock

    package init(clock: any MediaClock = SystemMediaClock()) { self.clock = clock }

    /// What waits for this visitor, and what comes from now on. The stream holds no more than `maximumMessages`.
    package func listen(_ visitor: VisitorID) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Self.maximumMessages))
        let now = clock.now()
        let number = state.withLock { state in
            state.expire(now: now)
            state.nextListener += 1
            state.listeners[state.nextListener] = (visitor, continuation)
            for message in state.waiting.removeValue(forKey: visitor) ?? [] { continuation.yield(message.text) }
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// - Parameters:
    ///   - message: `maximumMessageBytes` at most.
    ///   - visitor: nil for all that listen and those of `others`.
    ///   - others: for whom it is kept where they do not listen.
    /// - Returns: how many listen, and for how many it waits; nil where it is too long.
    @discardableResult
    package func tell(
        _ message: JSONValue, to visitor: VisitorID?, others: [VisitorID] = []
    ) -> (reached: Int, waiting: Int)? {
        let text = message.text
        guard text.utf8.count <= Self.maximumMessageBytes else { return nil }
        let now = clock.now()
        let (listeners, waiting) = state.withLock { state in
            state.expire(now: now)
            let listeners = state.listeners.values.filter { visitor == nil || $0.visitor == visitor }
            let absent = Set(visitor.map { [$0] } ?? others).subtracting(listeners.map(\.visitor))
            return (listeners, absent.count { state.keep(Waiting(text: text, since: now), for: $0) })
        }
        // Without the lock: who ends a stream holds one of Swift's that this takes, and waits for ours.
        for listener in listeners { listener.stream.yield(text) }
        return (Set(listeners.map(\.visitor)).count, waiting)
    }
}

extension FeedbackDesk.State {
    fileprivate mutating func expire(now: MediaTime) {
        waiting = waiting.compactMapValues { messages in
            let fresh = messages.filter { now - $0.since < FeedbackDesk.patience }
            return fresh.isEmpty ? nil : fresh
        }
    }

    fileprivate mutating func keep(_ message: FeedbackDesk.Waiting, for visitor: VisitorID) -> Bool {
        guard waiting[visitor] != nil || waiting.count < FeedbackDesk.maximumVisitors else { return false }
        waiting[visitor, default: []].append(message)
        if waiting[visitor, default: []].count > FeedbackDesk.maximumMessages { waiting[visitor]?.removeFirst() }
        return true
    }
}
