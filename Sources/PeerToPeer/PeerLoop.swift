import CNice
import Dispatch
import Glibc
import HeapModule
import NIOCore
import Streaming
import Synchronization

/// The event loop of all peers: a GLib main context on a thread of its own, as libnice wants it, which others see as an
/// event loop like NIO's. A hub hands a frame over once for all peers, and from there to the socket nothing changes
/// threads.
///
/// Runs as long as somebody holds it.
package final class PeerLoop: EventLoop, Sendable {
    private let core: Core

    /// - Parameter name: of its thread.
    package init(name: String = "peers") {
        let core = Core()
        self.core = core
        _ = MediaThread(name: name) { core.run() }
    }

    deinit { core.quit() }

    /// For what belongs to this loop's GLib side.
    var context: OpaquePointer { core.context }

    package var inEventLoop: Bool { core.isCurrent }

    package func execute(_ task: @escaping @Sendable () -> Void) { core.execute(task) }

    package func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> {
        let promise = makePromise(of: T.self)
        execute { promise.assumeIsolated().completeWith(Result { try task() }) }
        return promise.futureResult
    }

    @discardableResult
    package func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let id = core.schedule(at: deadline) { promise.assumeIsolated().completeWith(Result { try task() }) }
        return Scheduled(promise: promise) { [core] in core.cancel(id) }
    }

    @discardableResult
    package func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: now + time, task)
    }

    /// It has no end of its own; see above.
    package func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(EventLoopError.unsupportedOperation) }
    }
}

/// What the thread holds of the loop.
private final class Core: @unchecked Sendable {
    private struct Timer: Comparable {
        let deadline: NIODeadline
        let id: UInt64

        static func < (a: Timer, b: Timer) -> Bool { (a.deadline, a.id) < (b.deadline, b.id) }
    }

    private struct State {
        var tasks: [@Sendable () -> Void] = []
        var timers = Heap<Timer>()
        var timed: [UInt64: @Sendable () -> Void] = [:]
        var nextID: UInt64 = 0
    }

    let context: OpaquePointer
    private let loop: OpaquePointer
    /// Wakes the context when there is something to do. Set once; it may be told so from any thread.
    private var source: UnsafeMutablePointer<GSource>?
    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private let hasQuit = Atomic(false)

    init() {
        context = g_main_context_new()
        loop = g_main_loop_new(context, 0)
        source = cnice_timed_source(
            context,
            { data in
                if let data { Unmanaged<Core>.fromOpaque(data).takeUnretainedValue().dispatch() }
                return 1
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        if let source {
            g_source_destroy(source)
            g_source_unref(source)
        }
        g_main_loop_unref(loop)
        g_main_context_unref(context)
    }

    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        g_main_context_push_thread_default(context)
        // A loop that was told to quit before it runs does not notice.
        if !hasQuit.load(ordering: .acquiring) { g_main_loop_run(loop) }
        g_main_context_pop_thread_default(context)
        thread.store(0, ordering: .relaxed)
    }

    func quit() {
        execute { [self] in
            hasQuit.store(true, ordering: .releasing)
            g_main_loop_quit(loop)
        }
    }

    func execute(_ task: @escaping @Sendable () -> Void) {
        let wasEmpty = state.withLock { state in
            state.tasks.append(task)
            return state.tasks.count == 1
        }
        if wasEmpty { wake(at: 0) }
    }

    func schedule(at deadline: NIODeadline, _ task: @escaping @Sendable () -> Void) -> UInt64 {
        let (id, isNext) = state.withLock { state in
            state.nextID += 1
            let timer = Timer(deadline: deadline, id: state.nextID)
            state.timed[timer.id] = task
            state.timers.insert(timer)
            return (timer.id, state.timers.min?.id == timer.id && state.tasks.isEmpty)
        }
        if isNext { wake(at: deadline.microsecondsRoundedUp) }
        return id
    }

    func cancel(_ id: UInt64) { state.withLock { _ = $0.timed.removeValue(forKey: id) } }

    /// - Parameter time: microseconds of the monotonic clock, which is GLib's and NIO's; -1 for never.
    private func wake(at time: Int64) {
        if let source { g_source_set_ready_time(source, gint64(time)) }
    }

    /// What is to be done now, once; what that brings is left to the next turn, so that sockets have theirs.
    private func dispatch() {
        wake(at: -1)
        let now = NIODeadline.now()
        let due = state.withLock { state in
            var due = state.tasks
            state.tasks.removeAll(keepingCapacity: true)
            while let timer = state.timers.min, timer.deadline <= now {
                state.timers.removeMin()
                if let task = state.timed.removeValue(forKey: timer.id) { due.append(task) }
            }
            return due
        }
        for task in due { task() }
        let next = state.withLock { state -> Int64? in
            if !state.tasks.isEmpty { return 0 }
            // What was cancelled need not be woken for.
            while let timer = state.timers.min, state.timed[timer.id] == nil { state.timers.removeMin() }
            return state.timers.min?.deadline.microsecondsRoundedUp
        }
        if let next { wake(at: next) }
    }
}

extension NIODeadline {
    fileprivate var microsecondsRoundedUp: Int64 { Int64((uptimeNanoseconds + 999) / 1000) }
}
