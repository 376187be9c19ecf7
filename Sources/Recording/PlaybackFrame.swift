import Containers
import Media
import Streaming

/// A recorded frame on its way to a viewer.
package struct PlaybackFrame: Sendable {
    package let frame: StreamFrame
    /// From the beginning of the range that was asked for, on the wall clock's line: jumps over gaps.
    package let position: MediaTime
    /// The same without the gaps, so that it runs as the viewer's clock does.
    package let line: MediaTime

    package init(frame: StreamFrame, position: MediaTime, line: MediaTime) {
        self.frame = frame
        self.position = position
        self.line = line
    }

    package var kind: MediaKind { frame.kind }
    package var isKey: Bool { frame.isKey }
    package var bytes: Int { frame.tag.bodyAndTrailer.readableBytes }
}

/// An order to the cursor.
package struct PlaybackRead: Sendable, Hashable {
    /// Counts the seeks; what was read for an older one is of no use.
    package let epoch: Int
    /// Where to go before reading.
    package let seek: MediaTime?
    /// Only every n-th key picture; nil for all frames.
    package let keyPictures: Int?

    package init(epoch: Int, seek: MediaTime?, keyPictures: Int?) {
        self.epoch = epoch
        self.seek = seek
        self.keyPictures = keyPictures
    }
}

/// What the cursor read.
package struct PlaybackBatch: Sendable {
    package enum State: Sendable, Hashable {
        case more
        /// All that is recorded so far; more is to come.
        case waiting
        case ended
        /// The disk gives no more.
        case failed
    }

    package var frames: [PlaybackFrame] = []
    package var state = State.more

    package init(frames: [PlaybackFrame] = [], state: State = .more) {
        self.frames = frames
        self.state = state
    }
}
