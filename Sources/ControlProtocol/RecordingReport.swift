/// How recording is doing: its disk, and every stream that is recorded, or may be.
package struct RecordingReport: Codable, Sendable, Hashable {
    package var disk: Disk
    package var streams: [Stream]

    package init(disk: Disk, streams: [Stream]) {
        self.disk = disk
        self.streams = streams
    }

    package struct Disk: Codable, Sendable, Hashable {
        package enum State: String, Codable, Sendable, CaseIterable {
            /// Looked at, and put in order after a crash.
            case opening
            case ready
            /// No room, and nothing that may be deleted.
            case full
            case readOnly
            /// Not mounted, or another disk is.
            case missing
            /// It gives errors.
            case failed
            case idle
        }

        package var state: State
        /// Why it is not ready.
        package var detail: String
        /// Since the last change of `state`.
        package var sinceSeconds: Double
        package var folder: String
        package var totalBytes: Int64?
        /// What may still be written.
        package var availableBytes: Int64?
        package var held: [Held]
        /// Day folders yet to be looked through, after the index was lost.
        package var unscannedFolders: Int
        /// What it took to put things in order at the start.
        package var recovery: Recovery
        package var deletedSegments: Int
        /// Samples of footage that were read back from the disk, and those that were not as they had been written.
        package var readBacks: Int
        package var readBackFailures: Int
        /// How often the disk came back.
        package var returns: Int

        package init(
            state: State, detail: String = "", sinceSeconds: Double, folder: String, totalBytes: Int64? = nil,
            availableBytes: Int64? = nil, held: [Held] = [], unscannedFolders: Int = 0, recovery: Recovery,
            deletedSegments: Int = 0, readBacks: Int = 0, readBackFailures: Int = 0, returns: Int = 0
        ) {
            self.state = state
            self.detail = detail
            self.sinceSeconds = sinceSeconds
            self.folder = folder
            self.totalBytes = totalBytes
            self.availableBytes = availableBytes
            self.held = held
            self.unscannedFolders = unscannedFolders
            self.recovery = recovery
            self.deletedSegments = deletedSegments
            self.readBacks = readBacks
            self.readBackFailures = readBackFailures
            self.returns = returns
        }
    }

    /// What there is of one channel.
    package struct Held: Codable, Sendable, Hashable {
        package var channel: Int
        package var segments: Int
        package var bytes: Int64

        package init(channel: Int, segments: Int, bytes: Int64) {
            self.channel = channel
            self.segments = segments
            self.bytes = bytes
        }
    }

    package struct Recovery: Codable, Sendable, Hashable {
        /// The last session ended in order.
        package var wasClean: Bool
        package var seconds: Double
        /// Files that were given their final form.
        package var closed: Int
        /// Files that no row of the index knew.
        package var adopted: Int
        /// Rows of the index whose files were gone.
        package var dropped: Int
        /// Files that held nothing.
        package var removed: Int
        /// Files the disk refuses to read.
        package var damaged: Int

        package init(
            wasClean: Bool = true, seconds: Double = 0, closed: Int = 0, adopted: Int = 0, dropped: Int = 0,
            removed: Int = 0, damaged: Int = 0
        ) {
            self.wasClean = wasClean
            self.seconds = seconds
            self.closed = closed
            self.adopted = adopted
            self.dropped = dropped
            self.removed = removed
            self.damaged = damaged
        }
    }

    package struct Stream: Codable, Sendable, Hashable {
        package enum State: String, Codable, Sendable, CaseIterable {
            case off
            /// The last seconds are kept in memory.
            case buffering
            /// To be recorded, but no frame has come yet.
            case waiting
            case recording
            /// The disk takes nothing; see there.
            case diskAway
            /// The channel's share is full of protected footage.
            case full
        }

        package var channel: Int
        package var stream: CodeStream
        /// As configured: "continuous", "schedule" or "command".
        package var mode: String
        package var state: State
        /// Since the last change of `state`.
        package var sinceSeconds: Double
        /// What is being written.
        package var file: String?
        package var kind: RecordedFileReport.Kind?
        package var framesWritten: Int
        /// Of the frames themselves, and of the files they are in.
        package var mediaBytes: Int64
        package var fileBytes: Int64
        /// Files begun since the agent started.
        package var segments: Int
        /// Lost because the disk was too slow.
        package var framesLost: Int
        /// No file could take them.
        package var framesRefused: Int
        /// Times without footage that was wanted.
        package var gaps: Int

        package init(
            channel: Int, stream: CodeStream, mode: String, state: State, sinceSeconds: Double, file: String? = nil,
            kind: RecordedFileReport.Kind? = nil, framesWritten: Int = 0, mediaBytes: Int64 = 0, fileBytes: Int64 = 0,
            segments: Int = 0, framesLost: Int = 0, framesRefused: Int = 0, gaps: Int = 0
        ) {
            self.channel = channel
            self.stream = stream
            self.mode = mode
            self.state = state
            self.sinceSeconds = sinceSeconds
            self.file = file
            self.kind = kind
            self.framesWritten = framesWritten
            self.mediaBytes = mediaBytes
            self.fileBytes = fileBytes
            self.segments = segments
            self.framesLost = framesLost
            self.framesRefused = framesRefused
            self.gaps = gaps
        }
    }
}
