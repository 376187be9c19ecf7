import DequeModule
import Media
import Streaming

/// Frames and orders on their way from event loops to the recorder's thread. Bounded by stream: a disk that is too slow
/// lets frames wait in their subscriptions, which have bounds of their own.
package final class RecorderInbox: Sendable {
    package enum Item: Sendable {
        /// With the number of frames before it that were let go.
        case frame(StreamKey, StreamFrame, lost: Int)
        /// The hub of this stream is gone.
        case ended(StreamKey)
        case order(@Sendable (RecordingEngine) -> Void)
    }

    /// For each stream.
    package static let maximumBytes = 4 << 20

    private struct State {
        var items: Deque<Item> = []
        var bytes: [StreamKey: Int] = [:]
        /// Streams that were told to wait.
        var waiting: Set<StreamKey> = []
        var isClosed = false
        /// Nobody takes anything any more.
        var hasEnded = false
    }

    private let monitor = Monitor(State())

    package init() {}

    // MARK: From event loops

    package func hasRoom(_ key: StreamKey) -> Bool {
        monitor.withLock { state in
            let hasRoom = state.bytes[key, default: 0] < Self.maximumBytes
            if !hasRoom { state.waiting.insert(key) }
            return hasRoom
        }
    }

    /// - Parameter wakes: whether the recorder is to look at once.
    /// - Returns: false where nobody will ever take it.
    @discardableResult
    package func put(_ item: Item, wakes: Bool = true) -> Bool {
        let isTaken = monitor.withLock { state in
            guard !state.hasEnded else { return false }
            if case .frame(let key, let frame, _) = item { state.bytes[key, default: 0] += frame.tag.bodyLength }
            state.items.append(item)
            return true
        }
        if wakes { monitor.notify() }
        return isTaken
    }

    package func close() {
        monitor.withLock { $0.isClosed = true }
        monitor.notify()
    }

    // MARK: From the recorder's thread

    /// All there is, as soon as there is something; nothing at `deadline`; nil at the end.
    package func take(until deadline: MediaTime) -> Deque<Item>? {
        let taken: Deque<Item>?? = monitor.wait(until: deadline) { state in
            if !state.items.isEmpty {
                defer { state.items = [] }
                return .some(state.items)
            }
            state.hasEnded = state.isClosed
            return state.isClosed ? .some(nil) : nil
        }
        return taken ?? []
    }

    /// Frames were dealt with.
    /// - Returns: the streams that waited for room and have it now.
    package func release(_ bytes: [StreamKey: Int]) -> Set<StreamKey> {
        monitor.withLock { state in
            for (key, count) in bytes { state.bytes[key, default: 0] -= count }
            let free = state.waiting.filter { state.bytes[$0, default: 0] < Self.maximumBytes / 2 }
            state.waiting.subtract(free)
            return free
        }
    }
}
