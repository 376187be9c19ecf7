import Media
import Streaming
import Synchronization

/// The reader's side of the index: what there is, and the files themselves. From any thread; each call blocks for some
/// milliseconds at most, so it is nothing for an event loop.
package final class RecordingCatalog: Sendable {
    package let calendar: DayCalendar
    private let store: FolderStore
    private let database: Mutex<SQLiteDatabase>
    private let live: LiveSegments
    private let readers: SegmentReaders

    /// - Parameter indexPath: of an index that its writer has opened.
    package init(
        store: FolderStore, indexPath: String, live: LiveSegments, readers: SegmentReaders, calendar: DayCalendar
    ) throws(StorageFailure) {
        self.store = store
        self.live = live
        self.readers = readers
        self.calendar = calendar
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(path: indexPath)
            try database.script("PRAGMA query_only = 1")
            self.database = Mutex(database)
        } catch {
            throw StorageFailure(error)
        }
    }

    private func ask<Answer: Sendable>(
        _ question: (borrowing SQLiteDatabase) throws(SQLiteError) -> Answer
    ) throws(StorageFailure) -> Answer {
        let result: Result<Answer, SQLiteError> = database.withLock { database in
            do throws(SQLiteError) { return .success(try question(database)) } catch { return .failure(error) }
        }
        do throws(SQLiteError) { return try result.get() } catch { throw StorageFailure(error) }
    }

    /// With what has been written since a segment was begun. Nil for one that is neither closed nor being written.
    private func current(_ segment: Segment) -> Segment? {
        guard segment.state == .open else { return segment.state == .closed ? segment : nil }
        guard let progress = live[segment.id] else { return nil }
        var segment = segment
        segment.size = progress.length
        segment.end = max(segment.start, progress.end)
        return segment
    }

    // MARK: Questions

    /// What overlaps a time, given in milliseconds since 1970, UTC; in order. Segments come whole. One that is being
    /// written comes last, with its size and end so far.
    package func segments(of key: StreamKey, in range: Range<Int64>) throws(StorageFailure) -> [Segment] {
        try ask { database throws(SQLiteError) in try database.segments(of: key, in: range) }
            .compactMap(current).filter { $0.end > range.lowerBound || $0.start >= range.lowerBound }
    }

    /// The first segment that begins at or after a time.
    package func segment(of key: StreamKey, from time: Int64) throws(StorageFailure) -> Segment? {
        try ask { database throws(SQLiteError) in try database.segment(of: key, from: time) }.flatMap(current)
    }

    /// Which days of a month, in the device's time zone, have footage.
    package func days(of key: StreamKey, year: Int, month: Int) throws(StorageFailure) -> MonthMask {
        let calendar = self.calendar
        guard (1...9999).contains(year), (1...12).contains(month) else { return MonthMask() }
        return try ask { database throws(SQLiteError) in
            try database.days(of: key, year: year, month: month, calendar: calendar)
        }
    }

    package func gaps(of key: StreamKey, in range: Range<Int64>) throws(StorageFailure) -> [RecordingGap] {
        try ask { database throws(SQLiteError) in try database.gaps(of: key, in: range) }
    }

    /// The streams of a channel that have footage.
    package func streams(ofChannel channel: Int) throws(StorageFailure) -> [StreamQuality] {
        try ask { database throws(SQLiteError) in try database.streams(ofChannel: channel) }
    }

    /// - Parameter name: as it came from outside; looked up, and never part of a path.
    package func segment(channel: Int, name: String) throws(StorageFailure) -> Segment? {
        guard let name = SegmentName(name) else { return nil }
        return try ask { database throws(SQLiteError) in try database.segment(channel: channel, name: name) }
            .flatMap(current)
    }

    // MARK: Files

    /// Nil where the segment is gone meanwhile.
    package func open(_ segment: Segment) throws(StorageFailure) -> SegmentFile? {
        // First, so that a deletion meanwhile knows that somebody reads.
        readers.opened(id: segment.id)
        do throws(StorageFailure) {
            let file = try store.open(segment.path, forWriting: false)
            let length = live[segment.id]?.length ?? segment.size
            return SegmentFile(segment: segment, length: length, file: file, readers: readers)
        } catch {
            readers.closed(id: segment.id)
            if error.kind == .noSuchFile { return nil }
            throw error
        }
    }
}
