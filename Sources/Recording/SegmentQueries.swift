import Containers
import Media
import Streaming

/// The questions that can be asked of an index; for its writer and its readers alike.
extension SQLiteDatabase {
    private static let columns = """
        id, channel, stream, name, kind, state, size, start_ms, end_ms, media_start, boot, trusted, protected, damaged
        """

    /// Nil where the row makes no sense, as in an index that somebody wrote into.
    private static func segment(_ row: borrowing SQLiteStatement) -> Segment? {
        guard let stream = StreamQuality(index: row.int(2)), let name = SegmentName(row.text(3)),
            let state = Segment.State(rawValue: row.integer(5)), let boot = UniqueID(blob: row.blob(10))
        else { return nil }
        return Segment(
            id: row.integer(0), key: StreamKey(channel: row.int(1), stream: stream), name: name,
            kind: RecordingKind(rawValue: row.int(4)) ?? .continuous, state: state, size: row.integer(6),
            start: row.integer(7), end: row.integer(8), mediaStart: MediaTime(nanoseconds: row.integer(9)), boot: boot,
            isClockTrusted: row.bool(11), isProtected: row.bool(12), isDamaged: row.bool(13))
    }

    private borrowing func segments(_ sql: String, _ values: [SQLiteValue]) throws(SQLiteError) -> [Segment] {
        let statement = try prepare("SELECT \(Self.columns) FROM segment \(sql)")
        try statement.bind(values)
        var segments: [Segment] = []
        while try statement.step() {
            if let segment = Self.segment(statement) { segments.append(segment) }
        }
        return segments
    }

    // MARK: By time

    /// What overlaps `range`, in order; not what is being deleted. Whole segments, not cut to the range.
    package borrowing func segments(of key: StreamKey, in range: Range<Int64>) throws(SQLiteError) -> [Segment] {
        guard !range.isEmpty else { return [] }
        // Ranges do not overlap, so of those that begin earlier only the last can reach into this one.
        let first = try lastStart(of: key, notAfter: range.lowerBound) ?? range.lowerBound
        let found = try segments(
            "WHERE channel = ? AND stream = ? AND start_ms >= ? AND start_ms < ? AND state <> 2 ORDER BY start_ms, id",
            [.integer(key.channel), .integer(key.stream.index), .integer(first), .integer(range.upperBound)])
        // An open segment has no end yet; whoever knows how far it has come, cuts.
        return found.filter { $0.end > range.lowerBound || $0.start >= range.lowerBound || $0.state == .open }
    }

    private borrowing func lastStart(of key: StreamKey, notAfter time: Int64) throws(SQLiteError) -> Int64? {
        try row(
            """
            SELECT start_ms FROM segment WHERE channel = ? AND stream = ? AND start_ms <= ? AND state <> 2
            ORDER BY start_ms DESC LIMIT 1
            """, .integer(key.channel), .integer(key.stream.index), .integer(time)
        ) { $0.integer(0) }
    }

    /// The first that begins at or after `time`.
    package borrowing func segment(of key: StreamKey, from time: Int64) throws(SQLiteError) -> Segment? {
        try segments(
            "WHERE channel = ? AND stream = ? AND start_ms >= ? AND state <> 2 ORDER BY start_ms, id LIMIT 1",
            [.integer(key.channel), .integer(key.stream.index), .integer(time)]
        ).first
    }

    /// The latest there is, whatever its state.
    package borrowing func lastSegment(of key: StreamKey) throws(SQLiteError) -> Segment? {
        try segments(
            "WHERE channel = ? AND stream = ? ORDER BY start_ms DESC, end_ms DESC, id DESC LIMIT 1",
            [.integer(key.channel), .integer(key.stream.index)]
        ).first
    }

    /// Which of a month's days have footage.
    package borrowing func days(
        of key: StreamKey, year: Int, month: Int, calendar: DayCalendar
    ) throws(SQLiteError) -> MonthMask {
        let statement = try prepare(
            """
            SELECT start_ms, CASE state WHEN 0 THEN MAX(end_ms, start_ms + 1) ELSE end_ms END FROM segment
            WHERE channel = ? AND stream = ? AND start_ms < ? AND state <> 2 ORDER BY start_ms DESC LIMIT 1
            """)
        var mask = MonthMask()
        for day in 1...DayCalendar.dayCount(year: year, month: month) {
            let range = calendar.range(of: .init(year: year, month: month, day: day))
            try statement.bind(
                [.integer(key.channel), .integer(key.stream.index), .integer(range.upperBound)])
            if try statement.step(), statement.integer(1) > range.lowerBound { mask.insert(day: day) }
        }
        return mask
    }

    package borrowing func gaps(of key: StreamKey, in range: Range<Int64>) throws(SQLiteError) -> [RecordingGap] {
        try rows(
            """
            SELECT start_ms, end_ms, cause FROM gap WHERE channel = ? AND stream = ? AND start_ms < ? AND end_ms > ?
            ORDER BY start_ms
            """, .integer(key.channel), .integer(key.stream.index), .integer(range.upperBound),
            .integer(range.lowerBound)
        ) { row in
            RecordingGap(
                key: key, start: row.integer(0), end: row.integer(1),
                cause: RecordingGap.Cause(rawValue: row.text(2)) ?? .agentDown)
        }
    }

    // MARK: By name

    package borrowing func segment(channel: Int, name: SegmentName) throws(SQLiteError) -> Segment? {
        try segments("WHERE channel = ? AND name = ?", [.integer(channel), .text(name.text)]).first
    }

    package borrowing func segments(channel: Int, day: String) throws(SQLiteError) -> [Segment] {
        // "0" is the character after "/".
        try segments(
            "WHERE channel = ? AND name >= ? AND name < ?",
            [.integer(channel), .text(day + "/"), .text(day + "0")])
    }

    // MARK: For keeping house

    package borrowing func segments(in state: Segment.State) throws(SQLiteError) -> [Segment] {
        try segments("WHERE state <> 1 AND state = ?", [.integer(state.rawValue)])
    }

    /// The oldest of a channel that may go.
    package borrowing func deletable(channel: Int, limit: Int) throws(SQLiteError) -> [Segment] {
        try segments(
            "WHERE channel = ? AND state = 1 AND protected = 0 ORDER BY start_ms LIMIT ?",
            [.integer(channel), .integer(limit)])
    }

    /// The first closed segment with this id or a greater one.
    package borrowing func closedSegment(fromID id: Int64) throws(SQLiteError) -> Segment? {
        try segments("WHERE id >= ? AND state = 1 ORDER BY id LIMIT 1", [.integer(id)]).first
    }

    package borrowing func highestID() throws(SQLiteError) -> Int64 {
        try row("SELECT MAX(id) FROM segment") { $0.integer(0) } ?? 0
    }

    /// What each channel holds.
    package borrowing func totals() throws(SQLiteError) -> [Int: ArchiveTotal] {
        let found = try rows("SELECT channel, segments, bytes FROM total") {
            ($0.int(0), ArchiveTotal(segments: $0.int(1), bytes: $0.integer(2)))
        }
        return Dictionary(uniqueKeysWithValues: found)
    }

    /// The streams of a channel that have footage.
    package borrowing func streams(ofChannel channel: Int) throws(SQLiteError) -> [StreamQuality] {
        var streams: [StreamQuality] = []
        for stream in StreamQuality.allCases {
            if try lastSegment(of: StreamKey(channel: channel, stream: stream)) != nil { streams.append(stream) }
        }
        return streams
    }

    /// From the first footage of a channel to its last; nil where there is none.
    package borrowing func extent(ofChannel channel: Int) throws(SQLiteError) -> ClosedRange<Int64>? {
        var extent: ClosedRange<Int64>?
        for stream in StreamQuality.allCases {
            let key = StreamKey(channel: channel, stream: stream)
            guard let first = try segment(of: key, from: .min), let last = try lastSegment(of: key) else { continue }
            let own = first.start...max(first.start, last.end)
            extent = extent.map { min($0.lowerBound, own.lowerBound)...max($0.upperBound, own.upperBound) } ?? own
        }
        return extent
    }
}

/// Sums over a channel's rows.
package struct ArchiveTotal: Sendable, Hashable {
    package var segments = 0
    package var bytes: Int64 = 0

    package init(segments: Int = 0, bytes: Int64 = 0) {
        self.segments = segments
        self.bytes = bytes
    }
}

extension StreamQuality {
    /// As the index writes it.
    var index: Int { self == .main ? 0 : 1 }

    init?(index: Int) {
        switch index {
        case 0: self = .main
        case 1: self = .sub
        default: return nil
        }
    }
}

extension UniqueID {
    init?(blob: [UInt8]) {
        guard blob.count == 16 else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: number(blob[..<8]), low: number(blob[8...]))
    }

    var blob: [UInt8] {
        [high, low].flatMap { word in stride(from: 56, through: 0, by: -8).map { UInt8(word >> $0 & 0xFF) } }
    }
}
