import Streaming

/// Where playback and downloads find footage. All functions block; for threads that may wait for a disk.
package protocol FootageSource: Sendable {
    /// What overlaps a range (milliseconds since 1970, UTC), in order, whole segments.
    func segments(of key: StreamKey, in range: Range<Int64>) throws(StorageFailure) -> [Segment]
    /// The first segment that begins at or after an instant.
    func segment(of key: StreamKey, from time: Int64) throws(StorageFailure) -> Segment?
    /// - Parameter name: as it came from outside; looked up, and never part of a path.
    func segment(channel: Int, name: String) throws(StorageFailure) -> Segment?
    func streams(ofChannel channel: Int) throws(StorageFailure) -> [StreamQuality]
    func days(of key: StreamKey, year: Int, month: Int) throws(StorageFailure) -> MonthMask
    /// Nil where the segment is gone meanwhile.
    func open(_ segment: Segment) throws(StorageFailure) -> SegmentFile?
}

extension RecordingCatalog: FootageSource {}

extension SegmentFile {
    /// What is read of it now may be followed by more.
    var isGrowing: Bool { segment.state == .open }
}
