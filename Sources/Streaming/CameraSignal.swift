import Imaging
import Media
import Synchronization

/// Whether a channel's camera gives pictures; written by the capturing thread, read by the encoders.
final class CameraSignal: Sendable {
    private let state = Mutex(State())

    private struct State {
        /// True until the first attempt failed: a camera that is just being opened is waited for.
        var isRunning = true
        var lostAt = WallClock.now
        var stallLimit = CameraSignal.shortestStall
    }

    /// Silence shorter than this is no stall, however fast the camera.
    static let shortestStall = MediaTime.milliseconds(600)
    /// Silence for this many intervals is a stall.
    static let stallIntervals: Int64 = 8

    func started(interval: MediaTime) {
        state.withLock {
            $0.isRunning = true
            $0.stallLimit = max(interval * Self.stallIntervals, Self.shortestStall)
        }
    }

    func lost() {
        state.withLock { state in
            if state.isRunning { state.lostAt = WallClock.now }
            state.isRunning = false
        }
    }

    var isRunning: Bool { state.withLock { $0.isRunning } }
    /// Seconds since 1970.
    var lostAt: Int { state.withLock { $0.lostAt } }
    var stallLimit: MediaTime { state.withLock { $0.stallLimit } }
}
