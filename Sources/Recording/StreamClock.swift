import Containers
import Media

/// Gives a stream's segments their places on the wall clock's line. See Documentation/Recording.md, "Time".
struct StreamClock: Sendable {
    /// A place for a segment.
    struct Placement: Sendable, Hashable {
        /// Milliseconds since 1970, UTC.
        var start: Int64
        /// What is added to media time for it, in nanoseconds.
        var offset: Int64
        var isTrusted: Bool
        /// Earlier footage claims this time and has to move.
        var needsRoom = false
        /// The clock says an earlier time, which is not believed.
        var isHeld = false
    }

    /// Smaller steps, in nanoseconds, are not worth a new segment; the next one takes them.
    static let tolerance: Int64 = 500_000_000

    /// Where the stream's footage ends so far; milliseconds since 1970, UTC.
    var lastEnd: Int64?
    /// The clock when the last segment began, and what was made of it.
    private var reading: WallClockReading?
    private var placed: Placement?

    /// - Parameter last: the stream's latest segment in the index.
    init(last: Segment?, boot: UniqueID) {
        guard let last else { return }
        lastEnd = last.end
        guard last.boot == boot else { return }
        // Recorded by an agent that ran before this one, since the same boot.
        let offset = last.start * 1_000_000 - last.mediaStart.nanoseconds
        reading = WallClockReading(offset: offset, isTrusted: last.isClockTrusted)
        placed = Placement(start: last.start, offset: offset, isTrusted: last.isClockTrusted)
    }

    /// Somebody set the clock, or it became known to be right.
    static func hasStepped(from old: WallClockReading, to new: WallClockReading) -> Bool {
        abs(new.offset - old.offset) > tolerance || (new.isTrusted && !old.isTrusted)
    }

    /// Footage that was placed by a clock nobody trusted is placed again when that clock is set.
    func wantsReanchoring(_ new: WallClockReading) -> Bool {
        guard let reading, let placed, !placed.isTrusted else { return false }
        return Self.hasStepped(from: reading, to: new)
    }

    /// Where a segment that begins at `time` belongs.
    mutating func place(_ time: MediaTime, _ new: WallClockReading) -> Placement {
        let placement = decide(time, new)
        reading = new
        placed = placement
        return placement
    }

    private func decide(_ time: MediaTime, _ new: WallClockReading) -> Placement {
        func at(_ offset: Int64) -> Int64 { MediaTime(nanoseconds: time.nanoseconds + offset).milliseconds }
        let wall = at(new.offset)
        let end = lastEnd ?? wall
        // As before, so that adjoining segments adjoin to the millisecond.
        if let reading, let placed, !Self.hasStepped(from: reading, to: new), at(placed.offset) >= end,
            placed.isHeld ? wall < end : abs(placed.offset - new.offset) <= Self.tolerance
        {
            return Placement(
                start: at(placed.offset), offset: placed.offset, isTrusted: placed.isTrusted && new.isTrusted,
                isHeld: placed.isHeld)
        }
        if wall >= end { return Placement(start: wall, offset: new.offset, isTrusted: new.isTrusted) }
        let isFar = (end - wall) * 1_000_000 > Self.tolerance
        if new.isTrusted, isFar {
            return Placement(start: wall, offset: new.offset, isTrusted: true, needsRoom: true)
        }
        return Placement(
            start: end, offset: end * 1_000_000 - time.nanoseconds, isTrusted: new.isTrusted && !isFar, isHeld: isFar)
    }
}
