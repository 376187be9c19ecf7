import Glibc

/// Holds sound back until its time has come, on the monotonic clock.
struct TalkPace {
    private var begin: timespec?

    /// - Parameter milliseconds: from the first call on.
    mutating func wait(until milliseconds: Int) {
        guard let begin else {
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            return self.begin = now
        }
        let nanoseconds = begin.tv_nsec + milliseconds % 1000 * 1_000_000
        var deadline = timespec(
            tv_sec: begin.tv_sec + milliseconds / 1000 + nanoseconds / 1_000_000_000,
            tv_nsec: nanoseconds % 1_000_000_000)
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil) == EINTR {}
    }
}
