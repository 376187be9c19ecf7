import Containers
import Media
import NIOCore

/// What a subscriber gets before its first frame, and again before the key frame from which it changed. Immutable,
/// made once per change and shared by all.
package final class StreamHeaders: Sendable {
    package let format: StreamFormat
    package let metadata: FLVTag
    package let video: FLVTag?
    package let audio: FLVTag?

    /// Nil where a track's parameter sets cannot be read.
    package init?(_ format: StreamFormat) {
        self.format = format
        metadata = .metadata(format, encoder: StreamHeaders.encoderName)
        video = format.video.flatMap { FLVTag.sequenceHeader($0) }
        audio = format.audio.flatMap { FLVTag.sequenceHeader($0) }
        guard (video == nil) == (format.video == nil), (audio == nil) == (format.audio == nil) else { return nil }
    }

    package static let encoderName = "EdgeAgent"
}

/// Which tracks a subscriber wants.
package enum TrackSelection: String, Sendable, Hashable, CaseIterable {
    case all = "av"
    case video
    case audio

    package func includes(_ kind: MediaKind) -> Bool {
        switch self {
        case .all: true
        case .video: kind == .video
        case .audio: kind == .audio
        }
    }
}

/// The same stream's headers for every choice of tracks; nil where the stream lacks the track.
package struct StreamHeaderSet: Sendable {
    package let all: StreamHeaders
    package let video: StreamHeaders?
    package let audio: StreamHeaders?

    package init?(_ format: StreamFormat) {
        guard let all = StreamHeaders(format) else { return nil }
        self.all = all
        video = format.video == nil ? nil : StreamHeaders(StreamFormat(video: format.video))
        audio = format.audio == nil ? nil : StreamHeaders(StreamFormat(audio: format.audio))
    }

    package subscript(selection: TrackSelection) -> StreamHeaders? {
        switch selection {
        case .all: all
        case .video: video
        case .audio: audio
        }
    }
}

/// An encoded frame, wrapped once. Sound goes in this form to the hubs of all of a channel's streams.
package struct TaggedFrame: Sendable {
    package let kind: MediaKind
    package let isKey: Bool
    package let time: MediaTime
    package let tag: FLVTag

    package init(_ frame: consuming EncodedFrame) {
        kind = frame.kind
        isKey = frame.isKey
        time = frame.time
        tag = FLVTag(frame)
    }
}

/// A frame on its way through the hub, shared by every subscriber.
package struct StreamFrame: Sendable {
    package let kind: MediaKind
    package let isKey: Bool
    /// Capture time on the monotonic clock.
    package let time: MediaTime
    /// Counts the frames of one hub; a subscriber that started from the cache tells by it what it already has.
    package let sequence: UInt64
    package let tag: FLVTag
    /// The headers that were in force when this frame was made.
    package let headers: StreamHeaderSet

    package init(_ packet: TaggedFrame, sequence: UInt64, headers: StreamHeaderSet) {
        kind = packet.kind
        isKey = packet.isKey
        time = packet.time
        tag = packet.tag
        self.sequence = sequence
        self.headers = headers
    }

    /// The frame without FLV's header: NAL units behind four-byte lengths, or one raw AAC frame.
    package var data: ByteBuffer {
        var body = tag.body
        body.moveReaderIndex(forwardBy: kind == .video ? 5 : 2)
        return body
    }
}
