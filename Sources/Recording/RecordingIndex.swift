import Containers
import Media
import Streaming

/// The writer's side of the index: every change to what is known of segments. Each function is one transaction, safe on
/// the disk when it returns. For one thread; readers have connections of their own (`RecordingCatalog`).
package final class RecordingIndex {
    package let database: SQLiteDatabase

    /// More gaps of one stream than these are forgotten, the oldest first.
    package static let maximumGaps = 10_000

    /// Makes the index where there is none.
    /// - Throws: `StorageFailure.Kind.damagedIndex` where the file is no index of this version.
    package init(path: String) throws(StorageFailure) {
        do throws(SQLiteError) {
            database = try SQLiteDatabase(path: path)
            try database.script(IndexSchema.setUp)
        } catch {
            throw StorageFailure(error)
        }
        try prepareSchema()
    }

    private func prepareSchema() throws(StorageFailure) {
        let version: Int?
        do throws(SQLiteError) {
            version = try database.row("PRAGMA user_version") { $0.int(0) }
            if version == 0 {
                try database.transaction { () throws(SQLiteError) in
                    try database.script(IndexSchema.create)
                    try database.script("PRAGMA user_version = \(IndexSchema.version)")
                }
            }
        } catch {
            throw StorageFailure(error)
        }
        guard version == 0 || version == IndexSchema.version else {
            throw StorageFailure(.damagedIndex, "the index has version \(version ?? -1), not \(IndexSchema.version)")
        }
    }

    // MARK: Sessions

    /// Notes that recording begins.
    /// - Returns: whether the last session ended in order, so that rows and files are known to agree.
    package func beginSession() throws(SQLiteError) -> Bool {
        try database.transaction { () throws(SQLiteError) in
            let wasClean = try database.row("SELECT clean FROM session") { $0.bool(0) } ?? false
            try database.run("UPDATE session SET clean = 0")
            return wasClean
        }
    }

    /// Notes that recording ended in order: every segment is closed.
    package func endSession() throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            try database.run(
                "UPDATE folder SET state = ? WHERE state = ?", .integer(FolderState.settled.rawValue),
                .integer(FolderState.inUse.rawValue))
            try database.run("UPDATE session SET clean = 1")
        }
        // What is in the log goes into the file, so that the next start has nothing to replay.
        try? database.script("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Looks through the whole file.
    package func isIntact() throws(SQLiteError) -> Bool {
        try database.row("PRAGMA quick_check(1)") { $0.text(0) } == "ok"
    }

    // MARK: Folders

    package enum FolderState: Int64, Sendable {
        /// Rows and files agree.
        case settled = 0
        /// Segments are being made in it.
        case inUse = 1
        /// Files may lie in it that no row knows.
        case unscanned = 2
    }

    package struct Folder: Sendable, Hashable {
        package let channel: Int
        package let day: String

        package init(channel: Int, day: String) {
            self.channel = channel
            self.day = day
        }
    }

    package func set(_ folder: Folder, _ state: FolderState) throws(SQLiteError) {
        try database.run(
            "INSERT OR REPLACE INTO folder VALUES (?, ?, ?)", .integer(folder.channel), .text(folder.day),
            .integer(state.rawValue))
    }

    /// The newest day first.
    package func folders(_ state: FolderState) throws(SQLiteError) -> [Folder] {
        try database.rows(
            "SELECT channel, day FROM folder WHERE state <> 0 AND state = ? ORDER BY day DESC, channel",
            .integer(state.rawValue)
        ) { Folder(channel: $0.int(0), day: $0.text(1)) }
    }

    package func forget(_ folder: Folder) throws(SQLiteError) {
        try database.run(
            "DELETE FROM folder WHERE channel = ? AND day = ?", .integer(folder.channel), .text(folder.day))
    }

    /// The folder after this one, of all there are, and then from the beginning again.
    package func folder(after folder: Folder?) throws(SQLiteError) -> Folder? {
        let read = { (row: borrowing SQLiteStatement) in Folder(channel: row.int(0), day: row.text(1)) }
        if let folder,
            let next = try database.row(
                "SELECT channel, day FROM folder WHERE (channel, day) > (?, ?) ORDER BY channel, day LIMIT 1",
                .integer(folder.channel), .text(folder.day), read: read)
        {
            return next
        }
        return try database.row("SELECT channel, day FROM folder ORDER BY channel, day LIMIT 1", read: read)
    }

    // MARK: Segments

    /// What is known of a segment before it has a row.
    package struct NewSegment: Sendable {
        package var key: StreamKey
        package var name: SegmentName
        package var kind: RecordingKind
        package var start: Int64
        package var mediaStart: MediaTime
        package var boot: UniqueID
        package var isClockTrusted: Bool

        package init(
            key: StreamKey, name: SegmentName, kind: RecordingKind, start: Int64, mediaStart: MediaTime,
            boot: UniqueID, isClockTrusted: Bool
        ) {
            self.key = key
            self.name = name
            self.kind = kind
            self.start = start
            self.mediaStart = mediaStart
            self.boot = boot
            self.isClockTrusted = isClockTrusted
        }
    }

    /// A row for a file that is there and begins to grow.
    package func insertOpen(_ new: NewSegment) throws(SQLiteError) -> Segment {
        try insert(new, state: .open, size: 0, end: new.start, mediaEnd: new.mediaStart)
    }

    /// A row for a whole file that was found.
    package func insertClosed(
        _ new: NewSegment, size: Int64, end: Int64, mediaEnd: MediaTime
    ) throws(SQLiteError) -> Segment {
        try insert(new, state: .closed, size: size, end: end, mediaEnd: mediaEnd)
    }

    private func insert(
        _ new: NewSegment, state: Segment.State, size: Int64, end: Int64, mediaEnd: MediaTime
    ) throws(SQLiteError) -> Segment {
        try database.run(
            """
            INSERT INTO segment (channel, stream, name, kind, state, size, start_ms, end_ms, media_start, media_end,
                boot, trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, .integer(new.key.channel), .integer(new.key.stream.index), .text(new.name.text),
            .integer(new.kind.rawValue), .integer(state.rawValue), .integer(size), .integer(new.start), .integer(end),
            .integer(new.mediaStart.nanoseconds), .integer(mediaEnd.nanoseconds), .blob(new.boot.blob),
            .bool(new.isClockTrusted))
        return Segment(
            id: database.lastInsertedID, key: new.key, name: new.name, kind: new.kind, state: state, size: size,
            start: new.start, end: end, mediaStart: new.mediaStart, boot: new.boot,
            isClockTrusted: new.isClockTrusted, isProtected: false, isDamaged: false)
    }

    /// The file has its final form.
    package func close(
        id: Int64, size: Int64, end: Int64, mediaEnd: MediaTime, sample: ReadBackSample? = nil
    ) throws(SQLiteError) {
        try database.run(
            """
            UPDATE segment SET state = 1, size = ?, end_ms = MAX(start_ms, ?), media_end = ?, sample_offset = ?,
                sample_length = ?, sample_sum = ? WHERE id = ?
            """, .integer(size), .integer(end), .integer(mediaEnd.nanoseconds),
            sample.map { .integer($0.offset) } ?? .null, sample.map { .integer($0.length) } ?? .null,
            sample.map { .integer(Int64($0.sum)) } ?? .null, .integer(id))
    }

    package func sample(id: Int64) throws(SQLiteError) -> ReadBackSample? {
        try database.row(
            "SELECT sample_offset, sample_length, sample_sum FROM segment WHERE id = ? AND sample_sum IS NOT NULL",
            .integer(id)
        ) { ReadBackSample(offset: $0.integer(0), length: $0.int(1), sum: UInt32(truncatingIfNeeded: $0.integer(2))) }
    }

    /// First step of a deletion: from here on these are going, also after a crash.
    package func markDeleting(_ ids: [Int64]) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            for id in ids { try database.run("UPDATE segment SET state = 2 WHERE id = ?", .integer(id)) }
        }
    }

    /// Last step of a deletion, when the files are gone; and the end of rows whose files are missing.
    package func drop(_ segments: [Segment]) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            for segment in segments {
                try database.run("DELETE FROM segment WHERE id = ?", .integer(segment.id))
            }
            for key in Set(segments.map(\.key)) { try dropGaps(of: key) }
        }
    }

    package func setProtected(id: Int64, _ isProtected: Bool) throws(SQLiteError) {
        try database.run("UPDATE segment SET protected = ? WHERE id = ?", .bool(isProtected), .integer(id))
    }

    package func setDamaged(id: Int64) throws(SQLiteError) {
        try database.run("UPDATE segment SET damaged = 1 WHERE id = ?", .integer(id))
    }

    // MARK: Gaps

    package func insert(_ gap: RecordingGap) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            try database.run(
                "INSERT INTO gap (channel, stream, start_ms, end_ms, cause) VALUES (?, ?, ?, ?, ?)",
                .integer(gap.key.channel), .integer(gap.key.stream.index), .integer(gap.start), .integer(gap.end),
                .text(gap.cause.rawValue))
            try database.run(
                """
                DELETE FROM gap WHERE channel = ? AND stream = ? AND id <= (
                    SELECT id FROM gap WHERE channel = ? AND stream = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
                """, .integer(gap.key.channel), .integer(gap.key.stream.index), .integer(gap.key.channel),
                .integer(gap.key.stream.index), .integer(Self.maximumGaps))
        }
    }

    /// A gap in front of all footage means nothing to anybody.
    private func dropGaps(of key: StreamKey) throws(SQLiteError) {
        try database.run(
            """
            DELETE FROM gap WHERE channel = ?1 AND stream = ?2 AND end_ms <= IFNULL(
                (SELECT MIN(start_ms) FROM segment WHERE channel = ?1 AND stream = ?2), end_ms)
            """, .integer(key.channel), .integer(key.stream.index))
    }

    // MARK: Commands

    /// - Parameter until: milliseconds since 1970, UTC; nil for no end.
    package func setCommand(_ key: StreamKey, until: Int64?) throws(SQLiteError) {
        try database.run(
            "INSERT OR REPLACE INTO command VALUES (?, ?, ?)", .integer(key.channel), .integer(key.stream.index),
            until.map { .integer($0) } ?? .null)
    }

    package func removeCommand(_ key: StreamKey) throws(SQLiteError) {
        try database.run(
            "DELETE FROM command WHERE channel = ? AND stream = ?", .integer(key.channel), .integer(key.stream.index))
    }

    package func commands() throws(SQLiteError) -> [StreamKey: RecordingCommand] {
        let found = try database.rows("SELECT channel, stream, until_ms FROM command") { row in
            (row.int(0), row.int(1), RecordingCommand(until: row.isNull(2) ? nil : row.integer(2)))
        }
        var commands: [StreamKey: RecordingCommand] = [:]
        for (channel, stream, command) in found {
            guard let stream = StreamQuality(index: stream) else { continue }
            commands[StreamKey(channel: channel, stream: stream)] = command
        }
        return commands
    }
}

/// An order to record.
package struct RecordingCommand: Sendable, Hashable {
    /// Milliseconds since 1970, UTC; nil for no end.
    package var until: Int64?

    package init(until: Int64?) { self.until = until }
}
