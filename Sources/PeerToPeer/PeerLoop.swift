import CLinux
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

    /// - Parameters:
    ///   - name: of its thread.
    ///   - rest: called on the thread when answers have been collected, for what is to be done some time or other. Whether
    ///     peers have acknowledged all that was sent to them.
    package init(name: String = "peers", rest: @escaping @Sendable () -> Bool = { true }) {
        let core = Core(rest: rest)
        self.core = core
        _ = MediaThread(name: name) { core.run() }
    }

    deinit { core.quit() }

    /// For what belongs to this loop's GLib side.
    var context: OpaquePointer { core.context }
    /// Datagrams that leave at the end of the turn. For the loop's own thread.
    var batch: DatagramBatch { core.batch }
    /// To be told with each datagram that comes in another way; on the loop's own thread.
    func noteReceived() { core.noteReceived() }
    /// What comes to a socket is received between turns and in them. On the loop's own thread, as the other one.
    func add(_ socket: DatagramReceiver) { core.add(socket) }
    func remove(_ socket: DatagramReceiver) { core.remove(socket) }

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
    let batch = DatagramBatch()
    private let loop: OpaquePointer
    /// Has the context wait no longer than until there is something to do.
    private var source: UnsafeMutablePointer<GSource>?
    /// What other threads end a wait with (eventfd(2)), and what GLib knows it by.
    private let bell: Int32
    private var bellTag: UnsafeMutableRawPointer?
    // Touched on the thread only.
    /// With what GLib knows the socket by.
    private var sockets: [(socket: DatagramReceiver, tag: UnsafeMutableRawPointer)] = []
    private let space = DatagramSpace()
    private var hasReceived = false
    private var answers = AnswerHold()
    private let rest: @Sendable () -> Bool

    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private let hasQuit = Atomic(false)

    init(rest: @escaping @Sendable () -> Bool) {
        self.rest = rest
        context = g_main_context_new()
        loop = g_main_loop_new(context, 0)
        bell = clinux_make_bell()
        source = cnice_attach_source(
            context, { Core.from($0)?.endTurn() ?? -1 },
            { Core.from($0)?.due ?? -1 },
            { Core.from($0)?.dispatch() }, Unmanaged.passUnretained(self).toOpaque())
        if let source { bellTag = g_source_add_unix_fd(source, bell, G_IO_IN) }
    }

    deinit {
        if let source {
            g_source_destroy(source)
            g_source_unref(source)
        }
        g_main_loop_unref(loop)
        g_main_context_unref(context)
        close(bell)
    }

    private static func from(_ data: UnsafeMutableRawPointer?) -> Core? {
        data.map { Unmanaged<Core>.fromOpaque($0).takeUnretainedValue() }
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
        if wasEmpty { wake() }
    }

    func schedule(at deadline: NIODeadline, _ task: @escaping @Sendable () -> Void) -> UInt64 {
        let (id, isNext) = state.withLock { state in
            state.nextID += 1
            let timer = Timer(deadline: deadline, id: state.nextID)
            state.timed[timer.id] = task
            state.timers.insert(timer)
            return (timer.id, state.timers.min?.id == timer.id && state.tasks.isEmpty)
        }
        if isNext { wake() }
        return id
    }

    func cancel(_ id: UInt64) { state.withLock { _ = $0.timed.removeValue(forKey: id) } }

    /// The loop's own thread looks what there is before it waits.
    private func wake() {
        if !isCurrent { clinux_ring(bell) }
    }

    func noteReceived() { hasReceived = true }

    func add(_ socket: DatagramReceiver) {
        guard let source, let tag = g_source_add_unix_fd(source, socket.descriptor, G_IO_IN) else { return }
        sockets.append((socket, tag))
    }

    func remove(_ socket: DatagramReceiver) {
        guard let source, let index = sockets.firstIndex(where: { $0.socket === socket }) else { return }
        g_source_remove_unix_fd(source, sockets.remove(at: index).tag)
    }

    /// Between two turns: what was collected leaves.
    private func endTurn() -> gint64 {
        batch.flush()
        let now = NIODeadline.now()
        let time = answers.next(at: now, hasSentPicture: batch.takeHasSentSeveral(), hasReceived: hasReceived)
        hasReceived = false
        if let time, !isDue(now) {
            let isWhole = hold(for: time)
            for (socket, _) in sockets { socket.receive(into: space) }
            let isAnswered = rest()
            batch.flush()
            if isWhole { answers.ended(isAnswered: isAnswered) }
        }
        return due
    }

    private func isDue(_ now: NIODeadline) -> Bool {
        let due = due
        return due >= 0 && due <= gint64(now.uptimeNanoseconds / 1000)
    }

    /// Waits a little for nothing but what other threads want; false where they want something. Timers here are not so
    /// exact.
    private func hold(for time: TimeAmount) -> Bool {
        var bell = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        return poll(&bell, 1, Int32(time.nanoseconds / 1_000_000)) == 0
    }

    /// Microseconds of the monotonic clock, which is GLib's and NIO's; -1 for never.
    private var due: gint64 {
        state.withLock { state in
            if !state.tasks.isEmpty { return 0 }
            // What was cancelled need not be woken for.
            while let timer = state.timers.min, state.timed[timer.id] == nil { state.timers.removeMin() }
            return gint64(state.timers.min?.deadline.microsecondsRoundedUp ?? -1)
        }
    }

    /// What is to be done now, once; what that brings is left to the next turn, so that sockets have theirs.
    private func dispatch() {
        if g_source_query_unix_fd(source, bellTag).rawValue != 0 { clinux_hush(bell) }
        // No socket is removed meanwhile: links are closed in turns of their own.
        for (socket, tag) in sockets where g_source_query_unix_fd(source, tag).rawValue != 0 {
            hasReceived = true
            socket.receive(into: space)
        }
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
    }
}

extension NIODeadline {
    fileprivate var microsecondsRoundedUp: Int64 { Int64((uptimeNanoseconds + 999) / 1000) }
}
