/// A time for which footage was wanted and is missing.
package struct RecordingGap: Sendable, Hashable {
    package enum Cause: String, Sendable, CaseIterable {
        /// The agent did not run, or was killed.
        case agentDown
        /// The stream gave no frames.
        case noFrames
        /// The disk was too slow, and frames were let go.
        case slowDisk
        case diskFull
        /// Missing, read-only or broken.
        case diskAway
    }

    package let key: StreamKey
    /// Milliseconds since 1970, UTC.
    package let start: Int64
    package let end: Int64
    package let cause: Cause

    package init(key: StreamKey, start: Int64, end: Int64, cause: Cause) {
        self.key = key
        self.start = start
        self.end = end
        self.cause = cause
    }
}
