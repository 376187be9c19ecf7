import Media
import Streaming

/// A playback that is about to begin, its first frames read already.
package struct PlaybackOpening: @unchecked Sendable {
    package let range: Range<Int64>
    /// Where it begins, from the beginning of the range.
    package let start: MediaTime
    package let stream: StreamQuality
    /// Goes from the thread that opened it to the feed, which alone uses it then.
    let cursor: PlaybackCursor
    let first: PlaybackBatch

    /// Looks for footage of a channel, of the best stream that has any in the range. Blocks in the disk.
    ///
    /// - Parameters:
    ///   - wanted: only this stream; nil for the best.
    ///   - range: milliseconds since 1970, UTC.
    /// - Returns: nil where there is none.
    package init?(
        channel: Int, stream wanted: StreamQuality? = nil, range: Range<Int64>, from start: MediaTime = .zero,
        kind: RecordingKind? = nil,
        source: any FootageSource
    ) {
        let beginning = PlaybackRead(epoch: 0, seek: start, keyPictures: nil)
        for stream in StreamQuality.allCases where wanted == nil || stream == wanted {
            let key = StreamKey(channel: channel, stream: stream)
            let cursor = PlaybackCursor(source: source, key: key, range: range, kind: kind)
            let batch = cursor.read(beginning)
            guard !batch.frames.isEmpty else { continue }
            self.range = range
            self.start = start
            self.stream = stream
            self.cursor = cursor
            first = batch
            return
        }
        return nil
    }
}
