/// A recorded file.
package struct RecordedFileReport: Codable, Sendable, Hashable {
    /// Why it was recorded.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case continuous, scheduled, commanded
    }

    package var channel: Int
    package var stream: CodeStream
    /// Such as "20261121/140500-main-1f0c39ab.mp4"; with the channel it names the file in commands.
    package var name: String
    package var kind: Kind
    package var bytes: Int64
    /// Milliseconds since 1970, UTC.
    package var start: Int64
    package var end: Int64
    /// It is being written.
    package var isGrowing: Bool
    /// Retention leaves it alone.
    package var isProtected: Bool
    /// What was read back differed from what had been written.
    package var isDamaged: Bool

    package init(
        channel: Int, stream: CodeStream, name: String, kind: Kind, bytes: Int64, start: Int64, end: Int64,
        isGrowing: Bool, isProtected: Bool, isDamaged: Bool
    ) {
        self.channel = channel
        self.stream = stream
        self.name = name
        self.kind = kind
        self.bytes = bytes
        self.start = start
        self.end = end
        self.isGrowing = isGrowing
        self.isProtected = isProtected
        self.isDamaged = isDamaged
    }
}
