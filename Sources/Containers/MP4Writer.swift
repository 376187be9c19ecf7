import Media
import NIOCore

/// Writes an MP4 file that can be cut off at any byte and still plays up to its last whole fragment, and that is an
/// ordinary MP4 once it is closed. A value: frames in, what to do with the file out. No I/O, and media is never copied.
///
/// While it grows: `ftyp`, identity, a `free` box of 16 bytes, `moov`, then `moof` and `mdat` for each fragment. At the
/// end a `moov` that knows every sample is appended, and then the `free` box becomes the header of an `mdat` that reaches
/// up to it and hides everything between. Documentation/Recording.md has the layout and why no cut can break it.
package struct MP4Writer: Sendable {
    /// Of one fragment, and so of the media that is held in memory until it is whole.
    package struct Limits: Sendable, Hashable {
        package var span = MediaTime.seconds(4)
        package var bytes = 4 << 20
        package var samples = MP4.maximumFragmentSamples

        package init() {}
    }

    /// Why a frame is not taken. The file stays as good as it was.
    package enum Refusal: Error, Hashable {
        /// No track, parameter sets that cannot be read, or an identity that does not fit its box.
        case unusableFormat
        /// Other parameter sets or another sound format than the file's: a new file is due.
        case formatChanged
        /// The first picture must be a key frame.
        case startsWithoutKey
        case noSuchTrack
        /// More than a second before the file's time 0, or before the former frame of the track.
        case tooEarly
        /// Too long after the former frame of the track, or after the file's time 0: a new file is due.
        case gapTooLong
        case frameTooLong
        /// `MP4.maximumSamples`: a new file is due.
        case full
        case finished
    }

    private let format: StreamFormat
    private let identity: SegmentIdentity
    private let limits: Limits
    private var tracks: [MP4GrowingTrack]
    private var placeholder: Int64 = 0
    private var fragments: UInt32 = 0
    private var samples = 0
    private var heldSamples = 0
    /// The time of the earliest frame that waits.
    private var heldSince: MediaTime?
    private var isFinished = false
    /// The file's length once all that was given out is done.
    package private(set) var length: Int64 = 0
    /// Bytes of media that wait for their fragment to be whole.
    package private(set) var heldBytes = 0

    package init(format: StreamFormat, identity: SegmentIdentity, limits: Limits = .init()) throws(Refusal) {
        self.format = format
        self.identity = identity
        self.limits = limits
        tracks = MP4Track.tracks(of: format).map { MP4GrowingTrack($0) }
        guard !tracks.isEmpty, identity.isValid,
            format.video.map({ AVCDecoderConfiguration.bytes(for: $0) != nil }) ?? true,
            format.audio.map({ AudioSpecificConfig(rate: $0.rate, channels: $0.channels) != nil }) ?? true
        else { throw .unusableFormat }
    }

    /// From the file's time 0 to the end of the last frame.
    package var duration: MediaTime { tracks.map(\.endTime).max() ?? .zero }

    /// From the file's time 0 to the end of the last picture that was given out to be written; of the last sound where
    /// there are no pictures. Sound may reach beyond the picture with which the next file begins.
    package var writtenDuration: MediaTime { tracks.first?.writtenTime ?? .zero }

    package var isEmpty: Bool { samples == 0 }

    /// Memory of the sample tables.
    package var tableBytes: Int { tracks.reduce(0) { $0 + $1.track.samples.memory } }

    /// The head of the file; comes first and once.
    package mutating func begin() -> [MP4FileAction] {
        var head = ByteBuffer()
        MP4MovieBox.writeFileType(to: &head)
        identity.write(to: &head)
        placeholder = Int64(head.readableBytes)
        MP4Closing.writePlaceholder(to: &head)
        head.writeImmutableBuffer(MP4MovieBox.initial(tracks.map(\.track), utcStart: identity.utcStart))
        length = Int64(head.readableBytes)
        return [.append([head]), .sync]
    }

    /// Takes a frame. Gives nothing back, or the fragment that is whole by it.
    ///
    /// - Parameter format: what is in force with this frame.
    package mutating func append(_ frame: EncodedFrame, format: StreamFormat) throws(Refusal) -> [MP4FileAction] {
        guard !isFinished else { throw .finished }
        guard let index = tracks.firstIndex(where: { $0.track.kind == frame.kind }) else { throw .noSuchTrack }
        guard accepts(format) else { throw .formatChanged }
        let time = frame.time - identity.start
        try check(frame, at: time, tracks[index])
        if tracks[index].hasBegun { tracks[index].settle(until: time) } else { tracks[index].begin(at: time) }
        let fragment = isFragmentDue(before: frame, at: time, tracks[index]) ? flush() : []
        tracks[index].hold(frame)
        samples += 1
        heldSamples += 1
        heldBytes += frame.data.readableBytes
        heldSince = heldSince ?? time
        return fragment
    }

    /// Whether frames of this format can be in this file. Bit and frame rates are hints, and may change within it.
    package func accepts(_ other: StreamFormat) -> Bool {
        format.video?.sps == other.video?.sps && format.video?.pps == other.video?.pps
            && format.audio?.rate == other.audio?.rate && format.audio?.channels == other.audio?.channels
    }

    private func check(_ frame: EncodedFrame, at time: MediaTime, _ track: MP4GrowingTrack) throws(Refusal) {
        guard frame.data.readableBytes <= MP4.maximumSampleLength else { throw .frameTooLong }
        guard samples < MP4.maximumSamples else { throw .full }
        if track.hasBegun {
            guard time >= track.lastTime - MP4.maximumLead else { throw .tooEarly }
            guard time <= track.lastTime + MP4.maximumGap else { throw .gapTooLong }
        } else {
            guard frame.isKey else { throw .startsWithoutKey }
            guard time >= (frame.kind == .video ? .zero : .zero - MP4.maximumLead) else { throw .tooEarly }
        }
        guard time < MP4.maximumDuration - MP4.maximumGap else { throw .gapTooLong }
    }

    private func isFragmentDue(before frame: EncodedFrame, at time: MediaTime, _ track: MP4GrowingTrack) -> Bool {
        guard let heldSince else { return false }
        return frame.kind == .video && frame.isKey && track.holdsFrames || time - heldSince >= limits.span
            || heldBytes + frame.data.readableBytes > limits.bytes
            || heldSamples >= min(limits.samples, MP4.maximumFragmentSamples)
    }

    /// Ends the fragment here, the last picture lasting until `time`: there is no other. Sound may still come.
    package mutating func flush(until time: MediaTime) -> [MP4FileAction] {
        settleLastPicture(until: time - identity.start)
        return flush()
    }

    /// Ends the fragment here; nothing where no frame waits.
    package mutating func flush() -> [MP4FileAction] {
        let runs = tracks.indices.filter { tracks[$0].holdsFrames }
        guard !runs.isEmpty else { return [] }
        fragments += 1
        let media = runs.flatMap { tracks[$0].media }
        var fragment = MP4Fragment(sequence: fragments, runs: runs.map { tracks[$0].run })
        let head = fragment.write(tracks: tracks.map(\.track), media: media)
        for (run, index) in zip(fragment.runs, runs) { tracks[index].settleRun(at: length + Int64(run.dataOffset)) }
        length += Int64(head.readableBytes + heldBytes)
        (heldBytes, heldSamples, heldSince) = (0, 0, nil)
        return [.append([head] + media), .sync]
    }

    /// Closes the file: the last fragment, the movie box, and the header that hides the fragments.
    ///
    /// - Parameter end: when the last picture ends, which is when the next file begins.
    package mutating func finish(end: MediaTime? = nil) -> [MP4FileAction] {
        guard !isFinished else { return [] }
        isFinished = true
        if let end { settleLastPicture(until: end - identity.start) }
        let fragment = flush()
        let closing = MP4Closing(placeholder: placeholder, mediaEnd: length)
        let movie = MP4MovieBox.complete(tracks.map { $0.finished() }, utcStart: identity.utcStart)
        length += Int64(movie.readableBytes)
        return fragment + closing.actions(movie: movie)
    }

    private mutating func settleLastPicture(until end: MediaTime) {
        guard let index = tracks.firstIndex(where: { $0.track.kind == .video && $0.hasBegun }),
            (tracks[index].lastTime...tracks[index].lastTime + MP4.maximumGap).contains(end)
        else { return }
        tracks[index].settle(until: end)
    }
}
