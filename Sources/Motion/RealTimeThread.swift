import CLinux
import Glibc

/// Makes the calling thread punctual.
enum RealTimeThread {
    /// Above everything that shares the machine, below the kernel's own.
    static let priority: Int32 = 10
    /// SCHED_RESET_ON_FORK: threads that this one starts run like all others.
    private static let resetOnFork: Int32 = 0x4000_0000

    /// - Returns: 0, or a number of errno(3) where the thread may not run before others; it is woken on time then, as
    ///   far as the machine's load allows.
    static func enter() -> Int32 {
        clinux_be_punctual()
        var parameters = sched_param(sched_priority: priority)
        return sched_setscheduler(0, SCHED_FIFO | resetOnFork, &parameters) == 0 ? 0 : errno
    }
}
