import DequeModule
import Media
import Streaming

/// A viewer's playback: where it is, and which frame is due when. Reads nothing and sends nothing; whoever owns the
/// disk and the connection asks what to do and does it.
///
/// Frames from before the target of a seek, which decoding has to start with, are due at once. What a connection was
/// too slow for shifts all that follows; nothing is dropped.
package struct PlaybackSession: Sendable {
    /// Frames are sent so much ahead of their time, so that a player does not run dry.
    package static let lead = MediaTime.milliseconds(500)
    /// What is read ahead.
    package static let readAhead = (bytes: 1 << 20, span: MediaTime.seconds(1))
    /// After the end of what is recorded so far, more is looked for so often.
    package static let waitInterval = MediaTime.milliseconds(500)
    /// Later than this, and the clock is set anew.
    private static let tolerance = MediaTime.seconds(1)
    private static let slowest = 1.0 / 16
    private static let fastest = 64.0
    /// From picture to picture where a stream does not tell, and over a seek.
    private static let pictureInterval = MediaTime.milliseconds(40)

    package enum Output: Sendable {
        /// Milliseconds; the headers go first.
        case frame(StreamFrame, timestamp: UInt32, headers: StreamHeaders?)
        /// Nothing to send before this.
        case wait(until: MediaTime)
        /// Nothing to send until something happens.
        case idle
        /// See `hasFailed`.
        case ended
    }

    private struct Clock: Sendable {
        /// Footage at `line` is due at `time`.
        var line: MediaTime
        var time: MediaTime
        /// Milliseconds of the time stamp that footage at `stampLine` has.
        var stampLine: MediaTime
        var stamp: Int64
    }

    private let length: MediaTime
    private var epoch = 0
    /// The last seek's, until it is reached.
    private var target: MediaTime
    private var wantsSeek = true
    private var isReading = false
    private var retryAt: MediaTime?
    private var isAtEnd = false
    /// The disk gives no more.
    package private(set) var hasFailed = false
    private var queue: Deque<PlaybackFrame> = []
    private var queuedFrameBytes = 0
    private var clock: Clock?
    private var pausedAt: MediaTime?
    private var speed = PlaybackSpeed.normal
    private var factor = 1.0
    private var last: (position: MediaTime, line: MediaTime)?
    private var lastStamps: (video: Int64, audio: Int64) = (-1, -1)
    private var headers: StreamHeaders?

    /// - Parameters:
    ///   - length: of the range that was asked for.
    ///   - start: where in it to begin.
    package init(length: MediaTime, from start: MediaTime = .zero) {
        self.length = length
        target = start
    }

    package var queuedBytes: Int { queuedFrameBytes }
    package var isPaused: Bool { pausedAt != nil }

    // MARK: Orders

    package mutating func perform(_ order: PlaybackOrder, now: MediaTime) -> PlaybackProgress {
        switch order {
        case .pause: pausedAt = pausedAt ?? now
        case .resume: resume(now)
        case .seek(let target): seek(to: min(max(target, .zero), length))
        case .setSpeed(let speed): set(speed, now)
        case .report: break
        }
        return PlaybackProgress(position: position(at: now), isPaused: isPaused)
    }

    private mutating func resume(_ now: MediaTime) {
        guard let pausedAt else { return }
        clock?.time += now - pausedAt
        self.pausedAt = nil
    }

    private mutating func seek(to target: MediaTime) {
        self.target = target
        epoch += 1
        wantsSeek = true
        isAtEnd = false
        retryAt = nil
        clock = nil
        last = nil
        queue.removeAll(keepingCapacity: true)
        queuedFrameBytes = 0
    }

    private mutating func set(_ new: PlaybackSpeed, _ now: MediaTime) {
        guard new != speed else { return }
        let position = position(at: now)
        let lastDue = last.flatMap { last in clock.map { due(last.line, $0) } }
        let picksPictures = speed.keyPictures != nil || new.keyPictures != nil
        speed = new
        factor = Self.factor(new, headers: headers)
        // Frames that were left out are wanted now, or the other way round.
        if picksPictures { return seek(to: position) }
        guard let last, let lastDue else { return }
        let stamp = max(lastStamps.video, lastStamps.audio)
        clock = Clock(line: last.line, time: lastDue, stampLine: last.line, stamp: stamp)
    }

    /// Media time to the viewer's time.
    private static func factor(_ speed: PlaybackSpeed, headers: StreamHeaders?) -> Double {
        switch speed {
        case .normal, .still: return 1
        case .times(let factor): return min(max(factor, slowest), fastest)
        case .keyPictures(let every): return min(4 * Double(max(every, 1)), fastest)
        case .pictureInterval(let interval):
            let rate = headers?.format.video?.frameRate ?? 0
            let nominal = rate > 0 ? 1 / rate : pictureInterval.seconds
            return min(max(nominal / max(interval.seconds, 0.001), slowest), fastest)
        }
    }

    // MARK: Reading

    /// What to read now. `take` is to be called with the result before this gives anything again.
    package mutating func nextRead(now: MediaTime) -> PlaybackRead? {
        guard !isReading else { return nil }
        if !wantsSeek {
            guard !isAtEnd, queuedFrameBytes < Self.readAhead.bytes, queuedSpan < Self.readAhead.span else {
                return nil
            }
            if let retryAt, now < retryAt { return nil }
        }
        isReading = true
        retryAt = nil
        defer { wantsSeek = false }
        return PlaybackRead(epoch: epoch, seek: wantsSeek ? target : nil, keyPictures: speed.keyPictures)
    }

    private var queuedSpan: MediaTime {
        guard let first = queue.first, let last = queue.last else { return .zero }
        return MediaTime(nanoseconds: Int64(Double((last.line - first.line).nanoseconds) / factor))
    }

    package mutating func take(_ batch: PlaybackBatch, for read: PlaybackRead, now: MediaTime) {
        isReading = false
        guard read.epoch == epoch else { return }
        retryAt = batch.state == .waiting ? now + Self.waitInterval : nil
        hasFailed = batch.state == .failed
        isAtEnd = batch.state == .ended || hasFailed
        guard let first = batch.frames.first else { return }
        if clock == nil { startClock(first, now) }
        for frame in batch.frames {
            queue.append(frame)
            queuedFrameBytes += frame.bytes
        }
    }

    private mutating func startClock(_ first: PlaybackFrame, _ now: MediaTime) {
        let latest = max(lastStamps.video, lastStamps.audio)
        let stamp = latest < 0 ? 0 : latest + Self.pictureInterval.milliseconds
        clock = Clock(line: max(target, first.line), time: now, stampLine: first.line, stamp: stamp)
        if pausedAt != nil { pausedAt = now }
    }

    // MARK: Sending

    /// The next thing to do for a connection that takes more.
    package mutating func next(now: MediaTime) -> Output {
        guard pausedAt == nil, speed != .still || last == nil else { return .idle }
        while let frame = queue.first {
            guard let clock else { return .idle }
            if factor != 1, frame.kind == .audio {
                dropFirst()
                continue
            }
            let due = due(frame.line, clock)
            if now < due - Self.lead { return .wait(until: due - Self.lead) }
            if frame.line > clock.line, now - due > Self.tolerance { self.clock?.time += now - due }
            dropFirst()
            return send(frame, clock)
        }
        if isAtEnd, !isReading, !wantsSeek { return .ended }
        return retryAt.map { .wait(until: $0) } ?? .idle
    }

    private mutating func dropFirst() {
        guard let frame = queue.popFirst() else { return }
        queuedFrameBytes -= frame.bytes
    }

    private mutating func send(_ frame: PlaybackFrame, _ clock: Clock) -> Output {
        last = (frame.position, frame.line)
        let exact = clock.stamp + scaled(frame.line - clock.stampLine).milliseconds
        let timestamp: Int64
        switch frame.kind {
        case .video:
            timestamp = max(exact, lastStamps.video + 1)
            lastStamps.video = timestamp
        case .audio:
            timestamp = max(exact, lastStamps.audio + 1)
            lastStamps.audio = timestamp
        }
        let current = frame.frame.headers.all
        let isNew = headers.map { !$0.decodesAlike(current) } ?? true
        if isNew { headers = current }
        return .frame(
            frame.frame, timestamp: UInt32(truncatingIfNeeded: timestamp), headers: isNew ? current : nil)
    }

    private func due(_ line: MediaTime, _ clock: Clock) -> MediaTime { clock.time + scaled(line - clock.line) }

    /// The viewer's time that so much media time takes.
    private func scaled(_ span: MediaTime) -> MediaTime {
        factor == 1 ? span : MediaTime(nanoseconds: Int64(Double(span.nanoseconds) / factor))
    }

    /// Where the viewer is, without what was sent ahead of time.
    private func position(at now: MediaTime) -> MediaTime {
        guard let last, let clock else { return target }
        let ahead = max(due(last.line, clock) - (pausedAt ?? now), .zero)
        let position = last.position - MediaTime(nanoseconds: Int64(Double(ahead.nanoseconds) * factor))
        return min(max(position, target), length)
    }
}

extension StreamHeaders {
    /// Each file has headers of its own; a decoder needs to hear of them only where they differ.
    fileprivate func decodesAlike(_ other: StreamHeaders) -> Bool {
        self === other
            || (video?.bodyAndTrailer == other.video?.bodyAndTrailer
                && audio?.bodyAndTrailer == other.audio?.bodyAndTrailer)
    }
}

extension PlaybackSpeed {
    /// Only every n-th key picture; nil for all frames.
    fileprivate var keyPictures: Int? {
        switch self {
        case .keyPictures(let every): every
        case .still: 1
        case .normal, .pictureInterval, .times: nil
        }
    }
}
