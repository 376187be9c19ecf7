import CLinux
import Glibc
import Media

/// A thread of its own for work that blocks: devices, encoders. Never a thread of the concurrency pool.
package final class MediaThread: Sendable {
    private let finished = MonitoredFlag()

    /// Sound is little work, and heard at once when it is late: before encoders, which take all the time there is.
    private static let urgentNiceness: Int32 = -10

    /// - Parameters:
    ///   - name: for debuggers; the kernel keeps 15 bytes of it.
    ///   - isUrgent: runs before other threads, where the system allows that (LimitNICE= of the service).
    package init(name: String, isUrgent: Bool = false, body: @escaping @Sendable () -> Void) {
        let finished = self.finished
        let start = Unmanaged.passRetained(
            Start {
                clinux_name_thread(name)
                if isUrgent { clinux_set_niceness(Self.urgentNiceness) }
                body()
                finished.set()
            })
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            // Out of threads: the work does not run, and whoever waits for its end does not hang.
            start.release()
            finished.set()
        }
    }

    package var hasEnded: Bool { finished.isSet }

    /// False where the thread has not ended by then; it is left to itself.
    package func join(timeout: MediaTime) -> Bool {
        finished.wait(until: SystemMediaClock().now() + timeout)
    }

    /// Runs blocking work on a thread of its own and waits for it without blocking.
    package static func run<Value: Sendable>(
        name: String, _ work: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            _ = MediaThread(name: name) { continuation.resume(returning: work()) }
        }
    }

    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// A flag that is set once and can be waited for.
package final class MonitoredFlag: Sendable {
    private let monitor = Monitor(false)

    package init() {}

    package func set() {
        monitor.withLock { $0 = true }
        monitor.notify()
    }

    package var isSet: Bool { monitor.withLock { $0 } }

    /// True as soon as it is set, false at `deadline`.
    package func wait(until deadline: MediaTime) -> Bool {
        monitor.wait(until: deadline) { $0 ? true : nil } ?? false
    }
}
