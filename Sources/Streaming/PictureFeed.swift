import Media
import NIOCore

/// JPEG pictures of a stream at a modest rate: made once for all who watch, on a thread of its own, and only while
/// somebody does.
package final class PictureFeed: Sendable {
    /// From one picture to the next, five a second.
    package static let interval = MediaTime.milliseconds(200)

    package struct Listener: Sendable {
        let onPicture: @Sendable (ByteBuffer) -> Void
        let onEnd: @Sendable () -> Void

        /// Both are called from any thread and must not block.
        package init(onPicture: @escaping @Sendable (ByteBuffer) -> Void, onEnd: @escaping @Sendable () -> Void) {
            self.onPicture = onPicture
            self.onEnd = onEnd
        }
    }

    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var nextID: UInt64 = 0
        var isRunning = false
        var isClosed = false
    }

    private let monitor = Monitor(State())
    private let name: String
    private let clock: any MediaClock
    private let take: @Sendable () -> [UInt8]?

    /// - Parameter take: the next picture as JPEG; blocks.
    init(name: String, clock: any MediaClock, take: @escaping @Sendable () -> [UInt8]?) {
        self.name = name
        self.clock = clock
        self.take = take
    }

    /// Nil where there are no more pictures; else what `leave` takes.
    package func listen(_ listener: Listener) -> UInt64? {
        let (id, starts): (UInt64?, Bool) = monitor.withLock { state in
            guard !state.isClosed else { return (nil, false) }
            state.nextID += 1
            state.listeners[state.nextID] = listener
            defer { state.isRunning = true }
            return (state.nextID, !state.isRunning)
        }
        if starts { _ = MediaThread(name: name) { self.run() } }
        return id
    }

    package func leave(_ id: UInt64) {
        monitor.withLock { _ = $0.listeners.removeValue(forKey: id) }
        monitor.notify()
    }

    /// Ends it for all.
    func close() {
        let listeners = monitor.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return state.listeners
        }
        monitor.notify()
        for listener in listeners.values { listener.onEnd() }
    }

    private func run() {
        var next = clock.now()
        while isWanted(from: next) {
            next = clock.now() + Self.interval
            guard let picture = take() else { continue }
            let buffer = ByteBuffer(bytes: picture)
            for listener in monitor.withLock({ Array($0.listeners.values) }) { listener.onPicture(buffer) }
        }
    }

    /// Waits until the next picture is due; false as soon as nobody wants it.
    private func isWanted(from time: MediaTime) -> Bool {
        func look(_ state: inout State) -> Bool? {
            guard state.listeners.isEmpty else { return nil }
            // Under the lock, so that whoever comes now starts anew.
            state.isRunning = false
            return false
        }
        return monitor.wait(until: time, look) ?? true
    }
}
