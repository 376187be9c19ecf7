import Containers
import Media
import NIOCore
import Streaming

/// Reads a stream's footage frame by frame, from segment to segment, wherever it is sent. Blocks in the disk; for one
/// thread at a time.
package final class PlaybackCursor {
    /// A batch is about so much: of memory, and of time.
    static let batchBytes = 256 << 10
    static let batchSpan = MediaTime.milliseconds(500)
    /// Footage further apart than this is not one piece.
    private static let joint = MediaTime.milliseconds(500)
    /// How often the next segment is looked for after one that grew has ended.
    private static let maximumWaits = 4

    private struct Reading {
        var file: SegmentFile
        let headers: StreamHeaderSet
        var samples: MP4Samples
        /// The latest samples that were taken, of pictures and of sound.
        var taken: [MediaKind: MediaTime] = [:]
        /// From the beginning of the range to the file's time 0.
        let base: MediaTime
    }

    private let source: any FootageSource
    private let key: StreamKey
    private let range: Range<Int64>
    private let kind: RecordingKind?
    private var reading: Reading?
    /// The next segment begins there or later; milliseconds since 1970, UTC.
    private var nextStart: Int64
    /// Where what was read ends.
    private var end: MediaTime?
    /// Gaps so far.
    private var skipped = MediaTime.zero
    private var keyPicturesSeen = 0
    private var waits = 0
    private var sequence: UInt64 = 0

    /// - Parameter range: milliseconds since 1970, UTC.
    package init(source: any FootageSource, key: StreamKey, range: Range<Int64>, kind: RecordingKind? = nil) {
        self.source = source
        self.key = key
        self.range = range
        self.kind = kind
        nextStart = range.lowerBound
    }

    /// Some frames in order.
    package func read(_ order: PlaybackRead) -> PlaybackBatch {
        var batch = PlaybackBatch()
        do throws(StorageFailure) {
            if let target = order.seek { try seek(to: target) }
            try fill(&batch, keyPictures: order.keyPictures)
        } catch {
            batch.state = .failed
        }
        return batch
    }

    private func fill(_ batch: inout PlaybackBatch, keyPictures: Int?) throws(StorageFailure) {
        var bytes = 0
        while bytes < Self.batchBytes {
            guard let sample = reading?.samples.next() else {
                batch.state = try goOn()
                if batch.state == .more { continue }
                return
            }
            // Of a file that has grown, some come again.
            if let taken = reading?.taken[sample.kind], sample.time <= taken { continue }
            reading?.taken[sample.kind] = sample.time
            // Also of what is left out, or it would count as a gap where the next segment begins.
            if let base = reading?.base { end = base + sample.time + sample.duration }
            if let keyPictures, !isWanted(sample, every: keyPictures) { continue }
            guard let frame = try frame(sample) else { continue }
            guard frame.position.milliseconds < Int64(range.count) else {
                // The other track may be a little behind.
                if sample.kind == .video { batch.state = .ended }
                if batch.state == .ended { return }
                continue
            }
            batch.frames.append(frame)
            bytes += frame.bytes
            if let first = batch.frames.first, frame.line - first.line >= Self.batchSpan { return }
        }
    }

    private func isWanted(_ sample: MP4Sample, every count: Int) -> Bool {
        guard sample.kind == .video, sample.isKey else { return false }
        defer { keyPicturesSeen += 1 }
        return keyPicturesSeen % max(count, 1) == 0
    }

    private func frame(_ sample: MP4Sample) throws(StorageFailure) -> PlaybackFrame? {
        guard let reading else { return nil }
        guard let data = reading.file.read(at: sample.offset, count: sample.size) else {
            throw StorageFailure(.failed, "\(reading.file.segment.name) cannot be read")
        }
        let position = reading.base + sample.time
        sequence += 1
        let tagged = TaggedFrame(
            EncodedFrame(kind: sample.kind, isKey: sample.isKey, time: position, data: data))
        return PlaybackFrame(
            frame: StreamFrame(tagged, sequence: sequence, headers: reading.headers), position: position,
            line: position - skipped)
    }

    // MARK: Going through segments

    private func seek(to target: MediaTime) throws(StorageFailure) {
        reading = nil
        end = nil
        skipped = .zero
        keyPicturesSeen = 0
        waits = 0
        let time = range.lowerBound + target.milliseconds
        nextStart = time
        // Viewers know the starts of segments by their seconds: where one begins in the second that is asked for, the
        // last pictures of the one before are not meant.
        if let next = try segment(from: time), next.start - time < 1000, time % 1000 == 0 {
            return try begin(next, at: nil)
        }
        guard let segment = try source.segments(of: key, in: time..<time + 1).first, isWanted(segment) else { return }
        try begin(segment, at: MediaTime.milliseconds(time - segment.start))
    }

    /// What follows when the samples are used up.
    private func goOn() throws(StorageFailure) -> PlaybackBatch.State {
        if let reading, reading.file.isGrowing {
            if try grow(reading) { return .more }
            if self.reading?.file.isGrowing == true { return .waiting }
        }
        let wasGrowing = waits > 0
        guard let next = try segment(from: nextStart), next.start < range.upperBound else {
            guard wasGrowing, waits < Self.maximumWaits else { return .ended }
            waits += 1
            return .waiting
        }
        waits = 0
        try begin(next, at: nil)
        return .more
    }

    /// Looks what was written since. True where there is more to read.
    private func grow(_ old: Reading) throws(StorageFailure) -> Bool {
        let segment = old.file.segment
        guard let now = try source.segment(channel: key.channel, name: segment.name.text),
            let file = try source.open(now)
        else {
            reading = nil
            return false
        }
        reading?.file = file
        if !file.isGrowing { waits = 1 }
        guard file.length > old.file.length, let reader = Self.reader(of: file) else { return false }
        reading?.samples = reader.samples(fromKeyAtOrBefore: old.taken.values.min() ?? .zero)
        return true
    }

    private func segment(from time: Int64) throws(StorageFailure) -> Segment? {
        var time = time
        while let segment = try source.segment(of: key, from: time), segment.start < range.upperBound {
            if isWanted(segment) { return segment }
            time = segment.start + 1
        }
        return nil
    }

    private func isWanted(_ segment: Segment) -> Bool { kind == nil || segment.kind == kind }

    /// - Parameter time: from the segment's start; nil for all of it.
    private func begin(_ segment: Segment, at time: MediaTime?) throws(StorageFailure) {
        nextStart = max(segment.start, range.lowerBound) + 1
        reading = nil
        // One that was deleted meanwhile, or cannot be read, is passed over.
        guard let file = try source.open(segment), let reader = Self.reader(of: file),
            let headers = StreamHeaderSet(reader.format)
        else { return }
        let base = MediaTime.milliseconds(segment.start - range.lowerBound)
        let isJoint = joins(base)
        let samples =
            if let time {
                reader.samples(fromKeyAtOrBefore: time)
            } else if isJoint {
                reader.samples()
            } else {
                reader.samples(fromKeyAtOrBefore: .zero)
            }
        reading = Reading(file: file, headers: headers, samples: samples, base: base)
    }

    /// Whether footage that begins at `base` goes on where the last ended. Where it does not, the gap is skipped.
    private func joins(_ base: MediaTime) -> Bool {
        guard let end else { return false }
        let gap = base - end
        if gap >= .zero, gap <= Self.joint { return true }
        // Overlaps come from sound that reaches over the cut, or from a clock that was set back.
        let isOverlap = gap < .zero && gap >= .zero - Self.joint
        if !isOverlap { skipped += gap }
        return isOverlap
    }

    private static func reader(of file: SegmentFile) -> MP4Reader? {
        try? MP4Reader(length: file.length) { file.read(at: $0, count: $1) }
    }
}
