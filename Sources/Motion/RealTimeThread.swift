import CLinux
import Glibc

/// Makes the calling thread punctual.
enum RealTimeThread {
    /// Above everything that shares the machine, below the kernel's own.
    static let priority: Int32 = 10

    /// - Returns: 0, or a number of errno(3) where the thread may not run before others; it is woken on time then, as
    ///   far as the machine's load allows.
    static func enter() -> Int32 {
        clinux_be_punctual()
        var parameters = sched_param(sched_priority: priority)
        return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
    }
}
