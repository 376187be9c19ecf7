import Containers
import Media

/// A segment that is being written.
package final class GrowingSegment {
    package let row: Segment
    /// The wall clock when it began.
    package let clock: WallClockReading
    /// Where the stream's footage ended before; milliseconds since 1970, UTC.
    let previousEnd: Int64?
    var writer: MP4Writer
    var output: SegmentOutput
    /// What is added to media time to have its place on the wall clock's line, in nanoseconds.
    private let offset: Int64

    init(
        row: Segment, writer: MP4Writer, output: SegmentOutput, offset: Int64, clock: WallClockReading,
        previousEnd: Int64?
    ) {
        self.row = row
        self.writer = writer
        self.output = output
        self.offset = offset
        self.clock = clock
        self.previousEnd = previousEnd
    }

    /// Bytes that are safe on the disk.
    package var length: Int64 { output.length }

    package func milliseconds(at time: MediaTime) -> Int64 {
        MediaTime(nanoseconds: time.nanoseconds + offset).milliseconds
    }

    /// Where the footage ends that is safe on the disk; milliseconds since 1970, UTC. As recovery would find it, to the
    /// millisecond.
    package var end: Int64 { row.start + writer.writtenDuration.milliseconds }
}
