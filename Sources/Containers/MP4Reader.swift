import Media
import NIOCore

/// Reads a file that MP4Writer made: closed, still growing, or cut off at any byte. Holds the sample tables and nothing
/// else; no I/O but through the closure it is given, and that only while it is made.
package struct MP4Reader: Sendable {
    package enum Failure: Error, Hashable, Sendable {
        case notMP4
        /// Cut off before the first movie box was whole: there is nothing in it.
        case noMovie
        case malformed(String)
        case unsupported(String)
        case tooLarge(String)
        case unreadable(offset: Int64)
    }

    package enum Check: Sendable {
        case none
        /// After a crash: the check sums of an unfinished file's fragments, from the last one back to the first that is
        /// as it was written. Those behind it are let go.
        case lastFragment
    }

    private let tracks: [MP4Track]
    private let utcStart: Int64
    private let length: Int64
    private let placeholder: Int64
    /// An ordinary MP4; otherwise fragments.
    package let isFinished: Bool
    /// Nil where the file has none that can be read.
    package let identity: SegmentIdentity?
    /// Up to the end of the last whole fragment, or of the closed file.
    package let validLength: Int64

    /// - Parameters:
    ///   - length: bytes in the file.
    ///   - read: gives exactly so many bytes, or nil where they cannot be read; is never asked beyond `length`.
    package init(
        length: Int64, check: Check = .none, read: @escaping (_ offset: Int64, _ count: Int) -> ByteBuffer?
    ) throws(Failure) {
        let scan = try MP4FileScan(length: length, check: check, read: read)
        self.length = length
        tracks = scan.tracks.map { $0.withPictureRate() }
        utcStart = scan.identity?.utcStart ?? scan.movie.utcStart
        placeholder = scan.placeholder
        isFinished = scan.isFinished
        identity = scan.identity
        validLength = scan.validLength
    }

    /// The picture rate is what the file has on average, and the pictures' bit rate is not known.
    package var format: StreamFormat { StreamFormat(tracks) }

    /// From the file's time 0 to the end of the last sample.
    package var duration: MediaTime { tracks.filter { $0.samples.count > 0 }.map(\.end).max() ?? .zero }

    /// Memory of the sample tables.
    package var tableBytes: Int { tracks.reduce(0) { $0 + $1.samples.memory } }

    package func sampleCount(_ kind: MediaKind) -> Int { tracks.first { $0.kind == kind }?.samples.count ?? 0 }

    // MARK: Samples

    /// All samples in the order of their times.
    package func samples() -> MP4Samples { MP4Samples(tracks) }

    /// From `key(atOrBefore:)` on.
    package func samples(fromKeyAtOrBefore time: MediaTime) -> MP4Samples {
        guard let key = key(atOrBefore: time) else { return samples() }
        return MP4Samples(tracks, from: key.time)
    }

    /// The last key picture at or before `time`, else the first one; of sound where there are no pictures.
    package func key(atOrBefore time: MediaTime) -> MP4Sample? {
        guard let track = tracks.first(where: { $0.samples.count > 0 }) else { return nil }
        return track.samples.key(atOrBefore: track.tick(at: time)).map { MP4Sample($0, of: track) }
    }

    // MARK: Repair

    /// What makes an ordinary MP4 of a file that was not closed; nothing where it is one.
    package func repair() -> [MP4FileAction] {
        let cut: [MP4FileAction] = length > validLength ? [.truncate(length: validLength)] : []
        guard !isFinished else { return cut.isEmpty ? [] : cut + [.sync] }
        return cut + MP4Closing(placeholder: placeholder, mediaEnd: validLength).actions(movie: closingMovie)
    }

    /// The file's length after `repair`.
    package var repairedLength: Int64 { isFinished ? validLength : validLength + Int64(closingMovie.readableBytes) }

    private var closingMovie: ByteBuffer { MP4MovieBox.complete(tracks, utcStart: utcStart) }
}

extension MP4Track {
    /// MP4 has no field for the picture rate.
    fileprivate func withPictureRate() -> MP4Track {
        guard case .video(let format) = format, samples.end > 0 else { return self }
        let rate = Double(samples.count * timescale) / Double(samples.end)
        var track = self
        track.format = .video(
            VideoFormat(
                sps: format.sps, pps: format.pps, size: format.size, frameRate: (rate * 100).rounded() / 100,
                bitrate: format.bitrate))
        return track
    }
}
