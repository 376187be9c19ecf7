import Glibc
import Media

/// Waits for points in time on the monotonic clock.
enum Pacer {
    static func sleep(until time: MediaTime) {
        var deadline = time.timespec
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil) == EINTR {}
    }

    /// False, after waiting out `timeout`, where `time` is later than that.
    static func wait(until time: MediaTime, timeout: MediaTime) -> Bool {
        let limit = SystemMediaClock().now() + timeout
        sleep(until: min(time, limit))
        return time <= limit
    }
}
