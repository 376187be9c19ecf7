import Containers
import Media
import Streaming

/// One recorded file, as the index knows it. Instants are milliseconds since 1970, UTC.
package struct Segment: Sendable, Hashable {
    package enum State: Int64, Sendable {
        /// Being written, or not yet closed after a crash.
        case open = 0
        case closed = 1
        /// The file is going, or gone; the row goes last.
        case deleting = 2
    }

    /// Counts up in the order of recording.
    package let id: Int64
    package let key: StreamKey
    package let name: SegmentName
    package let kind: RecordingKind
    package var state: State
    /// Exact bytes of a closed file; 0 of an open one.
    package var size: Int64
    package var start: Int64
    /// Where the footage ends; never after the start of the stream's next segment.
    package var end: Int64
    /// The start on the monotonic clock of `boot`.
    package let mediaStart: MediaTime
    package let boot: UniqueID
    /// False where the wall clock was not known to be right.
    package var isClockTrusted: Bool
    package var isProtected: Bool
    /// What was read back differed from what had been written, or could not be read.
    package var isDamaged: Bool

    package var range: Range<Int64> { start..<max(start, end) }
    /// Relative to the store.
    package var path: String { RecordingPath.file(key.channel, name) }
}

/// A stream of a channel.
package struct StreamKey: Sendable, Hashable, CustomStringConvertible {
    package let channel: Int
    package let stream: StreamQuality

    package init(channel: Int, stream: StreamQuality) {
        self.channel = channel
        self.stream = stream
    }

    package var description: String { "\(channel)/\(stream.rawValue)" }
}

/// Why something was recorded; the `type` of the request grammar.
package enum RecordingKind: Int, Sendable, CaseIterable {
    case continuous = 0
    case scheduled = 1
    case commanded = 2
}

/// Where things lie in the store.
package enum RecordingPath {
    package static let index = "index.sqlite"

    package static func folder(_ channel: Int) -> String { "channel-\(channel)" }
    package static func folder(_ channel: Int, day: String) -> String { "\(folder(channel))/\(day)" }
    package static func file(_ channel: Int, _ name: SegmentName) -> String { "\(folder(channel))/\(name.text)" }

    /// The channel that a folder of the store belongs to.
    package static func channel(ofFolder name: String) -> Int? {
        guard name.hasPrefix("channel-"), let channel = Int(name.dropFirst(8)), folder(channel) == name,
            (0...65535).contains(channel)
        else { return nil }
        return channel
    }
}
