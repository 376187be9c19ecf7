import Media
import NIOCore
import NIOPosix
import Streaming

/// Carries out a playback: has footage read on threads that may wait for the disk, and hands it to a sink when it is
/// due. Belongs to one event loop, save for what `PlaybackControl` offers to everybody.
package final class PlaybackFeed: FrameFeed, PlaybackControl, @unchecked Sendable {
    package let range: Range<Int64>
    private let loop: any EventLoop
    private let threads: NIOThreadPool
    private let clock: any MediaClock
    /// On one of `threads` while a read is under way.
    private let cursor: PlaybackCursor
    private var session: PlaybackSession
    private var sink: (any FrameSink)?
    private var timer: Scheduled<Void>?
    private var isRunning = false
    private var runAgain = false
    private var hasEnded = false
    package private(set) var counters = Subscription.Counters()

    /// - Parameter opening: what was read when the request was looked at.
    package init(
        _ opening: PlaybackOpening, on loop: any EventLoop, threads: NIOThreadPool, clock: any MediaClock
    ) {
        range = opening.range
        cursor = opening.cursor
        self.loop = loop
        self.threads = threads
        self.clock = clock
        session = PlaybackSession(length: .milliseconds(Int64(opening.range.count)), from: opening.start)
        if let read = session.nextRead(now: clock.now()) { session.take(opening.first, for: read, now: clock.now()) }
    }

    package var queuedBytes: Int { session.queuedBytes }
    /// What is due was sent, as far as the sink took it.
    package var hasBacklog: Bool { false }

    /// Frames arrive during the call.
    package func start(_ sink: any FrameSink) {
        loop.preconditionInEventLoop()
        self.sink = sink
        run()
    }

    package func sinkBecameWritable() { run() }

    /// Nothing is sent afterwards.
    package func cancel() {
        hasEnded = true
        sink = nil
        timer?.cancel()
        timer = nil
    }

    // MARK: Control

    package func perform(_ order: PlaybackOrder) async -> PlaybackProgress? {
        try? await loop.submit { self.carryOut(order) }.get()
    }

    /// On its loop.
    package func carryOut(_ order: PlaybackOrder) -> PlaybackProgress? {
        loop.preconditionInEventLoop()
        guard !hasEnded else { return nil }
        let progress = session.perform(order, now: clock.now())
        run()
        return progress
    }

    /// On this loop it has ended when this returns.
    package func stop() {
        if loop.inEventLoop { end() } else { loop.execute { self.end() } }
    }

    private func end(hasFailed: Bool = false) {
        let sink = sink
        cancel()
        if hasFailed { sink?.streamBroke() } else { sink?.streamEnded() }
    }

    // MARK: Doing what the session says

    private func run() {
        runAgain = true
        // A flush may report the sink writable from inside.
        guard !isRunning else { return }
        isRunning = true
        while runAgain, !hasEnded {
            runAgain = false
            send()
        }
        isRunning = false
        readIfWanted()
    }

    private func send() {
        timer?.cancel()
        timer = nil
        var hasSent = false
        defer { if hasSent { sink?.flush() } }
        while let sink, sink.isWritable {
            switch session.next(now: clock.now()) {
            case .frame(let frame, let timestamp, let headers):
                if let headers { sink.send(headers: headers, timestamp: timestamp) }
                sink.send(frame: frame, timestamp: timestamp)
                count(frame)
                hasSent = true
            case .wait(let time): return wake(at: time)
            case .idle: return
            case .ended:
                hasSent = false
                sink.flush()
                return end(hasFailed: session.hasFailed)
            }
        }
    }

    private func count(_ frame: StreamFrame) {
        counters.framesSent += 1
        counters.bytesSent += frame.tag.bodyLength
        if frame.kind == .video, frame.isKey { counters.keyFramesSent += 1 }
    }

    private func wake(at time: MediaTime) {
        let delay = TimeAmount.nanoseconds(max((time - clock.now()).nanoseconds, 0))
        timer = loop.scheduleTask(in: delay) { self.run() }
    }

    private func readIfWanted() {
        guard !hasEnded, let read = session.nextRead(now: clock.now()) else { return }
        // The session has no two reads under way, so the cursor is never on two threads.
        let cursor = UnsafeTransfer(cursor)
        threads.runIfActive(eventLoop: loop) { cursor.value.read(read) }.whenComplete { result in
            let batch = (try? result.get()) ?? PlaybackBatch(state: .failed)
            self.session.take(batch, for: read, now: self.clock.now())
            self.run()
        }
    }
}

/// Carries a value to another thread where the surroundings see to it that nobody else touches it.
struct UnsafeTransfer<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
