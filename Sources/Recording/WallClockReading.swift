import CLinux
import Glibc
import Media

/// Where the wall clock stands against the monotonic one. Slewing moves both alike; only a step changes the offset.
package struct WallClockReading: Sendable, Hashable {
    /// Wall clock (since 1970, UTC) less monotonic clock, in nanoseconds.
    package var offset: Int64
    /// True once the clock was set from the network.
    package var isTrusted: Bool

    package init(offset: Int64, isTrusted: Bool) {
        self.offset = offset
        self.isTrusted = isTrusted
    }

    /// Milliseconds since 1970, UTC, at a moment of the monotonic clock.
    package func milliseconds(at time: MediaTime) -> Int64 {
        MediaTime(nanoseconds: time.nanoseconds + offset).milliseconds
    }
}

/// Tells the wall clock. Tests put one of their own here that steps.
package protocol WallClockSource: Sendable {
    func read() -> WallClockReading
}

/// The device's own wall clock.
package struct SystemWallClock: WallClockSource {
    package init() {}

    /// systemd-timesyncd's word for having set the clock since boot; the kernel's may be out of reach in a sandbox.
    private static let timesyncMark = "/run/systemd/timesync/synchronized"

    package func read() -> WallClockReading {
        var (before, wall, after) = (timespec(), timespec(), timespec())
        clock_gettime(CLOCK_MONOTONIC, &before)
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_MONOTONIC, &after)
        let monotonic = (MediaTime(before).nanoseconds + MediaTime(after).nanoseconds) / 2
        return WallClockReading(
            offset: MediaTime(wall).nanoseconds - monotonic,
            isTrusted: clinux_clock_is_synchronised() || access(Self.timesyncMark, F_OK) == 0)
    }
}
