import Containers
import Media

/// Where on the wall clock's line a stream's segments lie, while that clock steps.
///
/// The rule that everything here keeps: in the order of recording, a stream's segments never overlap and never go back.
/// Durations are the monotonic clock's and are not touched; segments only move as they are.
extension RecordingIndex {
    /// A segment that moves on the wall clock's line.
    private struct Move {
        let id: Int64
        let start: Int64
        let end: Int64
        let isTrusted: Bool
    }

    /// A row as far as its place goes.
    private struct Placed {
        let id: Int64
        let start: Int64
        let end: Int64
        let mediaStart: Int64
        let mediaEnd: Int64
        let boot: [UInt8]
        let isTrusted: Bool

        /// Wall clock less monotonic clock, in milliseconds.
        var offset: Int64 { start - MediaTime(nanoseconds: mediaStart).milliseconds }

        /// Recorded in one go with `later`, on the same setting of the clock.
        func isTogether(with later: Placed) -> Bool { boot == later.boot && abs(offset - later.offset) <= 1 }
    }

    /// Footage of this boot that was recorded while the clock was not trusted takes its place by what is known now: the
    /// monotonic clock tells exactly how long ago it was.
    package func reanchor(_ key: StreamKey, boot: UniqueID, to reading: WallClockReading) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            var moves: [Move] = []
            try walkBack(key) { row in
                guard row.boot == boot.blob, !row.isTrusted else { return false }
                moves.append(
                    Move(
                        id: row.id, start: reading.milliseconds(at: MediaTime(nanoseconds: row.mediaStart)),
                        end: reading.milliseconds(at: MediaTime(nanoseconds: row.mediaEnd)),
                        isTrusted: reading.isTrusted))
                return true
            }
            moves = Self.apart(moves)
            guard let first = moves.last else { return }
            if reading.isTrusted {
                // First, while all still lie in their order.
                try clear(key, before: first.start, skipping: moves.count)
                try apply(moves)
            } else {
                // A guess moves nobody else: behind what is there, at the earliest.
                let end = try endOfSegment(key, skipping: moves.count) ?? first.start
                let delay = max(0, end - first.start)
                try apply(
                    moves.map { Move(id: $0.id, start: $0.start + delay, end: $0.end + delay, isTrusted: false) })
            }
        }
    }

    /// Moves in which none overlaps the one before it, the latest first; copies of one file claim one time.
    private static func apart(_ moves: [Move]) -> [Move] {
        var limit = Int64.max
        return moves.map { move in
            let shift = move.end > limit ? limit - move.end : 0
            limit = move.start + shift
            return Move(
                id: move.id, start: move.start + shift, end: move.end + shift, isTrusted: move.isTrusted && shift == 0)
        }
    }

    /// Footage that claims a time after `limit`, although it was recorded before, moves back so that it ends there.
    package func makeRoom(_ key: StreamKey, before limit: Int64) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in try clear(key, before: limit, skipping: 0) }
    }

    /// - Parameter skipping: that many of the latest segments stay as they are.
    private func clear(_ key: StreamKey, before limit: Int64, skipping: Int) throws(SQLiteError) {
        var moves: [Move] = []
        var (limit, skip) = (limit, skipping)
        var later: (row: Placed, shift: Int64, start: Int64)?
        try walkBack(key) { row in
            guard skip == 0 else {
                skip -= 1
                return true
            }
            let shift: Int64
            if let later, row.isTogether(with: later.row) {
                shift = later.shift
            } else {
                if let later { limit = later.start }
                shift = min(0, limit - row.end)
                guard shift < 0 else { return false }
            }
            later = (row, shift, row.start + shift)
            moves.append(Move(id: row.id, start: row.start + shift, end: row.end + shift, isTrusted: false))
            return true
        }
        try apply(moves)
    }

    /// Shows rows from the latest on, until `visit` says false.
    private func walkBack(_ key: StreamKey, visit: (Placed) -> Bool) throws(SQLiteError) {
        let statement = try database.prepare(
            """
            SELECT id, start_ms, end_ms, media_start, media_end, boot, trusted FROM segment
            WHERE channel = ? AND stream = ? ORDER BY start_ms DESC, end_ms DESC, id DESC
            """)
        try statement.bind([.integer(key.channel), .integer(key.stream.index)])
        while try statement.step() {
            let row = Placed(
                id: statement.integer(0), start: statement.integer(1), end: statement.integer(2),
                mediaStart: statement.integer(3), mediaEnd: statement.integer(4), boot: statement.blob(5),
                isTrusted: statement.bool(6))
            if !visit(row) { break }
        }
    }

    private func endOfSegment(_ key: StreamKey, skipping: Int) throws(SQLiteError) -> Int64? {
        var (end, skip): (Int64?, Int) = (nil, skipping)
        try walkBack(key) { row in
            if skip == 0 { end = row.end }
            skip -= 1
            return skip >= 0
        }
        return end
    }

    private func apply(_ moves: [Move]) throws(SQLiteError) {
        let statement = try database.prepare(
            "UPDATE segment SET start_ms = ?, end_ms = ?, trusted = ? WHERE id = ?")
        for move in moves {
            try statement.bind(
                [.integer(move.start), .integer(move.end), .bool(move.isTrusted), .integer(move.id)])
            _ = try statement.step()
        }
    }

    /// What the wall clock was found to be in a boot, by footage that knew it.
    package func trustedOffset(boot: UniqueID) throws(SQLiteError) -> WallClockReading? {
        try database.row(
            "SELECT start_ms, media_start FROM segment WHERE boot = ? AND trusted = 1 LIMIT 1", .blob(boot.blob)
        ) { WallClockReading(offset: $0.integer(0) * 1_000_000 - $0.integer(1), isTrusted: true) }
    }

    /// Where found footage goes that claims to begin at `start`: there, or as soon after it as nothing is in its way, and
    /// before what is growing. Milliseconds since 1970, UTC. Where the sound of one file reaches into the next a little,
    /// the next one's start counts, as it does when they are recorded.
    package func freePlace(_ key: StreamKey, from start: Int64, duration: Int64) throws(SQLiteError) -> Range<Int64> {
        let tolerance = StreamClock.tolerance / 1_000_000
        try trimEnd(key, at: start, overlap: tolerance)
        var place = max(start, try endOfSegment(key, startingBy: start) ?? start)
        var next = Int64.max
        let statement = try database.prepare(
            """
            SELECT start_ms, end_ms, state FROM segment WHERE channel = ? AND stream = ? AND start_ms > ?
            ORDER BY start_ms
            """)
        try statement.bind([.integer(key.channel), .integer(key.stream.index), .integer(start)])
        while next == .max, try statement.step() {
            if place + duration <= statement.integer(0) + min(tolerance, duration / 2) { next = statement.integer(0) }
            place = next == .max ? max(place, statement.integer(1)) : place
        }
        if let growing = try startOfGrowing(key), place + duration > growing + tolerance {
            return try freePlace(key, before: growing, duration: duration)
        }
        return place..<max(place, min(place + duration, next))
    }

    /// The latest place that ends by `limit`.
    private func freePlace(_ key: StreamKey, before limit: Int64, duration: Int64) throws(SQLiteError) -> Range<Int64> {
        var limit = limit
        try walkBack(key) { row in
            guard row.start < limit else { return true }
            if limit - row.end >= duration { return false }
            limit = row.start
            return true
        }
        return limit - duration..<limit
    }

    /// Of the segment that ends at most `overlap` after `time`, if that is the lesser part of it.
    private func trimEnd(_ key: StreamKey, at time: Int64, overlap: Int64) throws(SQLiteError) {
        try database.run(
            """
            UPDATE segment SET end_ms = ?3, media_end = media_end - (end_ms - ?3) * 1000000
            WHERE channel = ?1 AND stream = ?2 AND state = 1 AND start_ms < ?3 AND end_ms > ?3 AND end_ms <= ?3 + ?4
                AND end_ms - ?3 <= ?3 - start_ms
            """, .integer(key.channel), .integer(key.stream.index), .integer(time), .integer(overlap))
    }

    private func endOfSegment(_ key: StreamKey, startingBy time: Int64) throws(SQLiteError) -> Int64? {
        try database.row(
            "SELECT end_ms FROM segment WHERE channel = ? AND stream = ? AND start_ms <= ? ORDER BY start_ms DESC LIMIT 1",
            .integer(key.channel), .integer(key.stream.index), .integer(time)
        ) { $0.integer(0) }
    }

    private func startOfGrowing(_ key: StreamKey) throws(SQLiteError) -> Int64? {
        try database.row(
            "SELECT MIN(start_ms) FROM segment WHERE state = 0 AND state <> 1 AND channel = ? AND stream = ?",
            .integer(key.channel), .integer(key.stream.index)
        ) { $0.isNull(0) ? nil : $0.integer(0) } ?? nil
    }
}
