import Glibc

/// Where the time of media and of deadlines comes from. Tests put a clock of their own here.
package protocol MediaClock: Sendable {
    func now() -> MediaTime
}

/// CLOCK_MONOTONIC: the clock that V4L2 and ALSA stamp with.
package struct SystemMediaClock: MediaClock {
    package init() {}

    package func now() -> MediaTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MediaTime(time)
    }
}

extension MediaTime {
    package init(_ time: timespec) {
        self.init(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package init(_ time: timeval) {
        self.init(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1_000)
    }

    package var timespec: timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
