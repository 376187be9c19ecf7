import Media
import Streaming

/// How the disk is doing that footage goes to.
package enum DiskState: String, Sendable, CaseIterable {
    /// Looked at, and put in order after a crash.
    case opening
    case ready
    /// No room, and nothing that may be deleted; looked at again every few seconds.
    case full
    case readOnly
    /// Not mounted, or another disk is; nothing is written in its place.
    case missing
    /// It gives errors.
    case failed
    /// No stream is to be recorded, or recording has ended.
    case idle

    init(_ kind: StorageFailure.Kind) {
        self =
            switch kind {
            case .full: .full
            case .readOnly: .readOnly
            case .missing, .noSuchFile, .fileExists: .missing
            case .damagedIndex, .failed: .failed
            }
    }
}

package struct DiskStatus: Sendable, Hashable {
    package var state = DiskState.idle
    /// Why it is not ready.
    package var detail = ""
    /// Monotonic time of the last change of `state`.
    package var since = MediaTime.zero
    package var folder = ""
    package var space: DiskSpace?
    /// What recording holds, by channel.
    package var totals: [Int: ArchiveTotal] = [:]
    /// Day folders yet to be looked through, after the index was lost.
    package var unscannedFolders = 0
    /// Of the last start.
    package var recovery = RecoveryReport()
    package var recoverySeconds = 0.0
    package var deletedSegments = 0
    package var readBacks = 0
    /// Samples that differed or could not be read.
    package var readBackFailures = 0
    /// How often the disk came back.
    package var returns = 0
}

/// How the recording of one stream is doing.
package struct StreamRecordingStatus: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        case off
        /// The last seconds are kept in memory.
        case buffering
        /// To be recorded, but no frame has come yet.
        case waiting
        case recording
        /// The disk takes nothing; see there.
        case diskAway
        /// The channel's share of the disk is full of protected footage.
        case full
    }

    package var key: StreamKey
    package var mode: RecordingPlan.Mode
    package var state = State.off
    /// Monotonic time of the last change of `state`.
    package var since = MediaTime.zero
    /// What is being written.
    package var name: SegmentName?
    package var kind: RecordingKind?
    package var counters = Counters()

    package struct Counters: Sendable, Hashable {
        package var framesWritten = 0
        package var mediaBytes: Int64 = 0
        package var fileBytes: Int64 = 0
        package var segments = 0
        /// Lost because the disk was too slow.
        package var framesLost = 0
        /// Frames no file would take, such as those before the first key frame of a broken stream.
        package var framesRefused = 0
        package var gaps = 0
    }
}

package struct RecordingStatus: Sendable, Hashable {
    package var disk = DiskStatus()
    package var streams: [StreamRecordingStatus] = []

    package init() {}
}

/// Something about recording changed.
package enum RecordingEvent: Sendable, Hashable {
    case disk(DiskState, folder: String, detail: String)
    case stream(StreamKey, StreamRecordingStatus.State)
    /// A file turned out to hold something else than was written to it.
    case damaged(StreamKey, SegmentName)
}
