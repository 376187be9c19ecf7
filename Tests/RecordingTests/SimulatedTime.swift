import Media
import Recording
import Synchronization

/// Both clocks of a device, in the test's hands.
final class SimulatedTime: MediaClock, WallClockSource {
    private struct State {
        var monotonic: MediaTime
        var wall: WallClockReading
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - uptime: seconds.
    ///   - utc: milliseconds since 1970 at that moment.
    ///   - nanoseconds: and what has passed since then of the next one.
    init(uptime: Int64 = 100, utc: Int64 = 1_795_000_000_000, nanoseconds: Int64 = 0, isTrusted: Bool = true) {
        let offset = utc * 1_000_000 + nanoseconds - uptime * 1_000_000_000
        state = Mutex(
            State(monotonic: .seconds(uptime), wall: WallClockReading(offset: offset, isTrusted: isTrusted)))
    }

    func now() -> MediaTime { state.withLock { $0.monotonic } }
    func read() -> WallClockReading { state.withLock { $0.wall } }
    var utc: Int64 { state.withLock { $0.wall.milliseconds(at: $0.monotonic) } }

    func advance(to time: MediaTime) { state.withLock { $0.monotonic = max($0.monotonic, time) } }
    func advance(by span: MediaTime) { state.withLock { $0.monotonic += span } }

    /// Sets the wall clock.
    func step(by milliseconds: Int64) { state.withLock { $0.wall.offset += milliseconds * 1_000_000 } }
    func trust(_ isTrusted: Bool) { state.withLock { $0.wall.isTrusted = isTrusted } }
}
