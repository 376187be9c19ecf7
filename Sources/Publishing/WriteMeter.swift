import Media
import NIOCore

/// What a transport was given to send and what of it the kernel took, in order.
struct WriteMeter {
    private var waiting = CircularBuffer<(submitted: MediaTime, bytes: Int)>()
    private(set) var bytesSent = 0
    private var lastProgress = MediaTime.zero

    mutating func submitted(_ bytes: Int, now: MediaTime) {
        if waiting.isEmpty { lastProgress = now }
        waiting.append((now, bytes))
    }

    mutating func completed(now: MediaTime) {
        guard let first = waiting.popFirst() else { return }
        bytesSent += first.bytes
        lastProgress = now
    }

    /// For how long the oldest unsent part has been waiting.
    func oldestAge(now: MediaTime) -> MediaTime { waiting.first.map { now - $0.submitted } ?? .zero }

    /// For how long nothing of what waits has moved.
    func stalled(now: MediaTime) -> MediaTime { waiting.isEmpty ? .zero : now - lastProgress }
}
