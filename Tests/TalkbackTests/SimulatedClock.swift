import Media
import Synchronization

/// A clock that goes when it is told to.
final class SimulatedClock: MediaClock {
    private let time: Mutex<MediaTime>

    init(_ start: MediaTime = .seconds(1000)) { time = Mutex(start) }

    func now() -> MediaTime { time.withLock { $0 } }
    func advance(_ span: MediaTime) { time.withLock { $0 += span } }
}
