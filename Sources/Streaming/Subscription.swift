import Containers
import DequeModule
import Media
import NIOCore

/// One consumer of a hub's frames, and the rules that hold for all of them: it starts at a key frame with time 0, it
/// is never waited for, and what it cannot take is dropped up to the next key frame, for it alone.
///
/// Belongs to one event loop; everything is called there.
package final class Subscription: FrameFeed {
    package enum Start: Sendable {
        /// With the newest key frame and all since, at once.
        case cachedGroup
        /// With the next key frame, which the encoder is asked for.
        case freshKeyFrame
    }

    /// How much may wait for a slow transport before frames are dropped.
    package struct Limits: Sendable {
        package var bytes: Int
        package var span: MediaTime

        package init(bytes: Int, span: MediaTime) {
            self.bytes = bytes
            self.span = span
        }

        package static let viewer = Limits(bytes: 4 << 20, span: .seconds(2))
        package static let push = Limits(bytes: 8 << 20, span: .seconds(4))
    }

    package struct Counters: Sendable {
        package var framesSent = 0
        package var bytesSent = 0
        package var framesDropped = 0
        /// How often dropping began.
        package var drops = 0
        package var keyFramesSent = 0

        package init() {}
    }

    package let loop: any EventLoop
    package let tracks: TrackSelection
    package private(set) var counters = Counters()
    package private(set) var queuedBytes = 0
    package var hasBacklog: Bool { queuedBytes > 0 }
    /// True once the first key frame went to the sink.
    package var hasStarted: Bool { base != nil }

    private let sink: any FrameSink
    private var waitsForKey = true
    private var isCancelled = false
    /// Earlier frames came with the cache, or came before the subscription.
    private let firstSequence: UInt64
    private var base: MediaTime?
    private let origin: MediaTime
    private var lastTimestamps: (video: Int64, audio: Int64) = (-1, -1)
    private var headers: StreamHeaders?
    private var queue: Deque<StreamFrame> = []
    private let limits: Limits
    private weak var hub: StreamHub?

    /// - Parameter origin: the time stamp of the first frame; other than zero only to try how a service takes it.
    init(
        hub: StreamHub?, sink: any FrameSink, tracks: TrackSelection, limits: Limits, origin: MediaTime,
        firstSequence: UInt64, loop: any EventLoop
    ) {
        self.hub = hub
        self.sink = sink
        self.tracks = tracks
        self.limits = limits
        self.origin = origin
        self.firstSequence = firstSequence
        self.loop = loop
    }

    /// How much media time waits for the transport.
    package var queuedSpan: MediaTime {
        guard let first = queue.first, let last = queue.last else { return .zero }
        return last.time - first.time
    }

    /// Ends the subscription. Nothing is sent to the sink afterwards.
    package func cancel() {
        guard !isCancelled else { return }
        isCancelled = true
        queue.removeAll()
        queuedBytes = 0
        hub?.remove(self)
    }

    package func sinkBecameWritable() {
        guard !queue.isEmpty, !isCancelled else { return }
        while sink.isWritable, !isCancelled, let frame = queue.popFirst() {
            queuedBytes -= frame.tag.bodyAndTrailer.readableBytes
            send(frame)
        }
        if !isCancelled { sink.flush() }
    }

    /// Frames of the cache, in one go.
    func start(with frames: [StreamFrame]) {
        for frame in frames { take(frame) }
        if !frames.isEmpty, !isCancelled { sink.flush() }
    }

    func deliver(_ frame: StreamFrame) {
        guard frame.sequence >= firstSequence, !isCancelled else { return }
        take(frame)
        if !isCancelled { sink.flush() }
    }

    func hubEnded() {
        guard !isCancelled else { return }
        isCancelled = true
        queue.removeAll()
        queuedBytes = 0
        sink.streamEnded()
    }

    private func take(_ frame: StreamFrame) {
        guard tracks.includes(frame.kind) else { return }
        if waitsForKey {
            guard startsDecoding(frame) else {
                if counters.drops > 0 { counters.framesDropped += 1 }
                return
            }
            waitsForKey = false
        }
        // Whether the queue is empty stands in the object itself; the queue's own word would be one more look at memory.
        if queuedBytes == 0, sink.isWritable {
            send(frame)
        } else {
            enqueue(frame)
        }
    }

    /// A stream with pictures begins at a key picture; one without at any frame.
    private func startsDecoding(_ frame: StreamFrame) -> Bool {
        guard let headers = frame.headers[tracks] else { return false }
        return headers.format.video == nil || (frame.kind == .video && frame.isKey)
    }

    private func enqueue(_ frame: StreamFrame) {
        queue.append(frame)
        queuedBytes += frame.tag.bodyAndTrailer.readableBytes
        guard queuedBytes > limits.bytes || queuedSpan > limits.span else { return }
        // Too slow: all that waits goes, and sending resumes at a key frame, this one if it is one.
        counters.drops += 1
        counters.framesDropped += queue.count
        queue.removeAll(keepingCapacity: true)
        queuedBytes = 0
        waitsForKey = true
        if frame.tag.bodyAndTrailer.readableBytes <= limits.bytes, startsDecoding(frame) {
            waitsForKey = false
            counters.framesDropped -= 1
            queue.append(frame)
            queuedBytes = frame.tag.bodyAndTrailer.readableBytes
        }
    }

    private func send(_ frame: StreamFrame) {
        guard let current = frame.headers[tracks] else { return }
        let base = self.base ?? frame.time
        self.base = base
        // Sound from before the first picture has no place on this time line.
        guard frame.time >= base else { return }
        let timestamp = nextTimestamp(frame, base: base)
        if headers !== current, frame.isKey || headers == nil {
            headers = current
            sink.send(headers: current, timestamp: timestamp)
        }
        counters.framesSent += 1
        counters.bytesSent += frame.tag.bodyLength
        if frame.kind == .video, frame.isKey { counters.keyFramesSent += 1 }
        sink.send(frame: frame, timestamp: timestamp)
    }

    /// Milliseconds from the first frame, rounded down from the whole and never twice the same on one track.
    private func nextTimestamp(_ frame: StreamFrame, base: MediaTime) -> UInt32 {
        let exact = (frame.time - base + origin).milliseconds
        let timestamp: Int64
        switch frame.kind {
        case .video:
            timestamp = max(exact, lastTimestamps.video + 1)
            lastTimestamps.video = timestamp
        case .audio:
            timestamp = max(exact, lastTimestamps.audio + 1)
            lastTimestamps.audio = timestamp
        }
        return UInt32(truncatingIfNeeded: timestamp)
    }
}
