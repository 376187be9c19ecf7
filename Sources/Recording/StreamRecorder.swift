import Containers
import Logging
import Media
import Streaming

/// Turns one stream's frames into segments. Every frame goes into one file, and only one; a new file begins at a key
/// frame. For one thread.
final class StreamRecorder {
    let key: StreamKey
    var plan: RecordingPlan {
        didSet { if plan.preRoll != oldValue.preRoll { preRoll = PreRoll(span: plan.preRoll) } }
    }
    private(set) var intent = RecordingPlan.Intent.off
    private(set) var counters = StreamRecordingStatus.Counters()
    /// Why there has been no footage, for the gap that is noted when there is again.
    var absence: RecordingGap.Cause?
    /// From when on footage was wanted; milliseconds since 1970, UTC.
    var wantedSince = Int64.max
    private var merger = TrackMerger()
    /// A picture that is to begin a new file waits for the last sound of the old one.
    private var isCutting = false
    private var preRoll: PreRoll
    /// Of the newest frame that came, and of the newest that was written.
    private(set) var lastArrival: MediaTime?
    private var lastWritten: MediaTime?
    private var kindChanged = false

    /// A stream that is silent for longer begins a new file afterwards.
    static let longestPause = MediaTime.seconds(10)
    /// A shorter time without footage is no gap.
    static let shortestGap: Int64 = 2000

    init(plan: RecordingPlan) {
        key = plan.key
        self.plan = plan
        preRoll = PreRoll(span: plan.preRoll)
    }

    // MARK: What to do

    func set(_ new: RecordingPlan.Intent, archive: RecordingArchive, clock: WallClockReading) throws(StorageFailure) {
        guard new != intent else { return }
        switch (intent, new) {
        case (.record, .record):
            kindChanged = true
            intent = new
        case (_, .record):
            intent = new
            try replay(archive, clock)
        case (let old, _):
            // What waits at a cut still belongs to the recording.
            if case .record = old { try finish(archive, clock) }
            intent = new
            if new == .off { forget() }
        }
    }

    /// Lets go of all frames, as when nobody gives any.
    func forget() {
        merger = TrackMerger()
        isCutting = false
        preRoll.clear()
        lastArrival = nil
    }

    /// The disk takes nothing; what was to be written is let go.
    func drop() {
        intent = .off
        forget()
    }

    private func replay(_ archive: RecordingArchive, _ clock: WallClockReading) throws(StorageFailure) {
        let frames = preRoll.frames
        preRoll.clear()
        for frame in frames { try write(frame, archive, clock) }
    }

    // MARK: Frames

    /// - Parameter lost: how many frames before this one were let go on the way, since the disk was too slow.
    func take(
        _ frame: StreamFrame, lost: Int, archive: RecordingArchive, clock: WallClockReading
    ) throws(StorageFailure) {
        if lost > 0 { try noteLoss(of: lost, archive, clock) }
        lastArrival = frame.time
        merger.push(frame)
        guard !isCutting, let segment = archive.growing[key], isDue(frame, segment, archive, clock) else {
            return try pass(archive, clock)
        }
        isCutting = true
        try pass(archive, clock)
        // Its pictures are complete and go to the disk at once; sound comes a little later than pictures.
        if isCutting { try flush(segment, until: frame.time, archive) }
    }

    private func pass(_ archive: RecordingArchive, _ clock: WallClockReading) throws(StorageFailure) {
        while let next = merger.pop(pictureWaits: isCutting) {
            if next.isStart { isCutting = false }
            try handle(next, archive, clock)
        }
    }

    private func passAll(_ archive: RecordingArchive, _ clock: WallClockReading) throws(StorageFailure) {
        isCutting = false
        for frame in merger.drain() { try handle(frame, archive, clock) }
    }

    private func flush(
        _ segment: GrowingSegment, until time: MediaTime, _ archive: RecordingArchive
    ) throws(StorageFailure) {
        let length = segment.length
        try archive.flush(segment, until: time)
        counters.fileBytes += segment.length - length
    }

    private func handle(
        _ frame: StreamFrame, _ archive: RecordingArchive, _ clock: WallClockReading
    ) throws(StorageFailure) {
        switch intent {
        case .record: try write(frame, archive, clock)
        case .buffer: preRoll.append(frame)
        case .off: break
        }
    }

    private func noteLoss(
        of count: Int, _ archive: RecordingArchive, _ clock: WallClockReading
    ) throws(StorageFailure) {
        counters.framesLost += count
        try passAll(archive, clock)
        absence = .slowDisk
    }

    private func write(
        _ frame: StreamFrame, _ archive: RecordingArchive, _ clock: WallClockReading
    ) throws(StorageFailure) {
        if let segment = archive.growing[key], isDue(frame, segment, archive, clock) {
            let adjoins = frame.time - (lastWritten ?? frame.time) <= Self.longestPause
            try close(segment, archive, end: adjoins ? frame.time : nil)
        }
        let growing = archive.growing[key]
        guard let segment = growing == nil ? try begin(with: frame, archive, clock) : growing else { return }
        try noteHole(before: frame, in: segment, archive)
        try append(frame, to: segment, archive, clock)
    }

    /// Whether a file can begin with this frame, and is to.
    private func isDue(
        _ frame: StreamFrame, _ segment: GrowingSegment, _ archive: RecordingArchive, _ clock: WallClockReading
    ) -> Bool {
        guard frame.isStart else { return false }
        return frame.time - segment.row.mediaStart >= plan.segmentLength || kindChanged
            || archive.isOffClock(segment, clock) || !segment.writer.accepts(frame.headers.all.format)
            || frame.time - (lastWritten ?? frame.time) > Self.longestPause
    }

    private func begin(
        with frame: StreamFrame, _ archive: RecordingArchive, _ clock: WallClockReading
    ) throws(StorageFailure) -> GrowingSegment? {
        guard frame.isStart, case .record(let kind) = intent else {
            counters.framesRefused += 1
            return nil
        }
        let format = frame.headers.all.format
        guard let segment = try archive.begin(key, kind: kind, format: format, time: frame.time, clock: clock) else {
            counters.framesRefused += 1
            return nil
        }
        kindChanged = false
        counters.segments += 1
        counters.fileBytes += segment.length
        try noteGap(before: segment, archive)
        lastWritten = nil
        return segment
    }

    private func append(
        _ frame: StreamFrame, to segment: GrowingSegment, _ archive: RecordingArchive, _ clock: WallClockReading
    ) throws(StorageFailure) {
        let encoded = EncodedFrame(kind: frame.kind, isKey: frame.isKey, time: frame.time, data: frame.data)
        let length = segment.length
        switch try archive.append(encoded, format: frame.headers.all.format, to: segment) {
        case nil:
            counters.framesWritten += 1
            counters.mediaBytes += Int64(encoded.data.readableBytes)
            counters.fileBytes += segment.length - length
            lastWritten = max(lastWritten ?? frame.time, frame.time)
        case .formatChanged, .gapTooLong, .full, .finished:
            // This file takes no more; the next one does.
            try close(segment, archive, end: nil)
            guard let next = try begin(with: frame, archive, clock) else { return }
            if try archive.append(encoded, format: frame.headers.all.format, to: next) == nil {
                counters.framesWritten += 1
                counters.mediaBytes += Int64(encoded.data.readableBytes)
                lastWritten = frame.time
            } else {
                counters.framesRefused += 1
            }
        case .unusableFormat, .startsWithoutKey, .noSuchTrack, .tooEarly, .frameTooLong: counters.framesRefused += 1
        }
    }

    // MARK: Ends

    /// Ends the segment with all frames that came.
    func finish(_ archive: RecordingArchive, _ clock: WallClockReading) throws(StorageFailure) {
        try passAll(archive, clock)
        if let segment = archive.growing[key] { try close(segment, archive, end: nil) }
    }

    /// A stream that gives nothing any more keeps no file open.
    func finishIfSilent(
        _ archive: RecordingArchive, now: MediaTime, clock: WallClockReading
    ) throws(StorageFailure) {
        guard archive.growing[key] != nil, let lastArrival, now - lastArrival > Self.longestPause else { return }
        try finish(archive, clock)
        absence = absence ?? .noFrames
    }

    private func close(
        _ segment: GrowingSegment, _ archive: RecordingArchive, end: MediaTime?
    ) throws(StorageFailure) {
        let length = segment.length
        try archive.finish(segment, end: end)
        counters.fileBytes += segment.length - length
    }

    // MARK: Gaps

    private func noteGap(before segment: GrowingSegment, _ archive: RecordingArchive) throws(StorageFailure) {
        defer {
            absence = nil
            wantedSince = .min
        }
        guard let last = segment.previousEnd else { return }
        try note(from: max(last, wantedSince), to: segment.row.start, cause: absence ?? .noFrames, archive)
    }

    /// Frames that are missing in the middle of a file.
    private func noteHole(
        before frame: StreamFrame, in segment: GrowingSegment, _ archive: RecordingArchive
    ) throws(StorageFailure) {
        guard absence != nil, let lastWritten else { return }
        let cause = absence ?? .noFrames
        absence = nil
        try note(
            from: segment.milliseconds(at: lastWritten), to: segment.milliseconds(at: frame.time), cause: cause, archive
        )
    }

    private func note(
        from start: Int64, to end: Int64, cause: RecordingGap.Cause, _ archive: RecordingArchive
    ) throws(StorageFailure) {
        guard start != .min, start != .max, end - start >= Self.shortestGap else { return }
        counters.gaps += 1
        try archive.note(RecordingGap(key: key, start: start, end: end, cause: cause))
    }
}
