import Containers
import Media
import NIOCore
import Streaming

/// Segments on a disk together with the index of them, and the order of steps that keeps the two in agreement whenever
/// the power goes:
///
/// - making: a name that did not exist, the head, sync file, sync folder, row;
/// - closing: last fragment, movie box, sync, header, sync, row;
/// - deleting: row marked, file removed, sync folder, row dropped.
///
/// So a row has its file, or is marked; and a file without a row lies in a folder that is marked as in use. For one
/// thread.
package final class RecordingArchive {
    package let store: any FileStore
    package let index: RecordingIndex
    package let live: LiveSegments
    let readers: SegmentReaders
    let calendar: DayCalendar
    let boot: UniqueID
    private let device: String
    /// Day folders that were marked and made in this session.
    private var knownFolders: Set<RecordingIndex.Folder> = []
    private var clocks: [StreamKey: StreamClock] = [:]
    package private(set) var growing: [StreamKey: GrowingSegment] = [:]
    /// What each channel holds in rows; the growing segments come on top.
    package private(set) var totals: [Int: ArchiveTotal]

    /// - Parameters:
    ///   - boot: whose monotonic clock media time is of.
    ///   - device: written into each file; at most 64 bytes.
    package init(
        store: any FileStore, index: RecordingIndex, live: LiveSegments = LiveSegments(),
        readers: SegmentReaders = SegmentReaders(), boot: UniqueID, device: String, calendar: DayCalendar = .device
    ) throws(StorageFailure) {
        self.store = store
        self.index = index
        self.live = live
        self.readers = readers
        self.boot = boot
        self.device = device
        self.calendar = calendar
        do throws(SQLiteError) { totals = try index.database.totals() } catch { throw StorageFailure(error) }
    }

    /// Runs changes of the index; its errors become the disk's.
    func onIndex<Result>(_ body: (RecordingIndex) throws(SQLiteError) -> Result) throws(StorageFailure) -> Result {
        do throws(SQLiteError) { return try body(index) } catch { throw StorageFailure(error) }
    }

    func reloadTotals() throws(StorageFailure) {
        totals = try onIndex { index throws(SQLiteError) in try index.database.totals() }
    }

    // MARK: Making

    /// Begins a segment with the frame at `time`. The stream must have none that grows.
    /// - Returns: nil where frames of this format cannot be kept in a file.
    package func begin(
        _ key: StreamKey, kind: RecordingKind, format: StreamFormat, time: MediaTime, clock reading: WallClockReading
    ) throws(StorageFailure) -> GrowingSegment? {
        let placement = try place(key, time: time, reading: reading)
        let unique = UniqueID.random()
        let name = SegmentName(start: placement.start, stream: key.stream, segment: unique, calendar: calendar)
        let identity = SegmentIdentity(
            segment: unique, boot: boot, device: device, channel: key.channel, stream: key.stream.rawValue,
            kind: kind.rawValue, start: time, utcStart: placement.start, isClockTrusted: placement.isTrusted)
        guard var writer = try? MP4Writer(format: format, identity: identity) else { return nil }
        let path = RecordingPath.file(key.channel, name)
        try prepareFolder(RecordingIndex.Folder(channel: key.channel, day: name.folder))
        let file = try store.create(path)
        var output = SegmentOutput(file: file)
        try output.perform(writer.begin())
        try store.syncFolder(RecordingPath.folder(key.channel, day: name.folder))
        let row = try onIndex { index throws(SQLiteError) in
            try index.insertOpen(
                RecordingIndex.NewSegment(
                    key: key, name: name, kind: kind, start: placement.start, mediaStart: time, boot: boot,
                    isClockTrusted: placement.isTrusted))
        }
        count(key.channel, segments: 1, bytes: 0)
        let segment = GrowingSegment(
            row: row, writer: writer, output: output, offset: placement.offset, clock: reading,
            previousEnd: clocks[key]?.lastEnd)
        growing[key] = segment
        live.set(segment)
        return segment
    }

    /// The folder is marked before anything is made in it, so that a file without a row will be found.
    private func prepareFolder(_ folder: RecordingIndex.Folder) throws(StorageFailure) {
        guard !knownFolders.contains(folder) else { return }
        try settleLeftFolders(except: folder)
        try onIndex { index throws(SQLiteError) in
            // One that waits for being looked through stays so.
            let waiting = try index.folders(.unscanned)
            guard !waiting.contains(folder) else { return }
            try index.set(folder, .inUse)
        }
        try store.makeFolder(RecordingPath.folder(folder.channel))
        try store.syncFolder("")
        try store.makeFolder(RecordingPath.folder(folder.channel, day: folder.day))
        try store.syncFolder(RecordingPath.folder(folder.channel))
        knownFolders.insert(folder)
    }

    /// Yesterday's folder, where nothing grows any more, needs no look after a crash.
    private func settleLeftFolders(except new: RecordingIndex.Folder) throws(StorageFailure) {
        let inUse = Set(
            growing.values.map { RecordingIndex.Folder(channel: $0.row.key.channel, day: $0.row.name.folder) })
        for folder in knownFolders
        where folder.channel == new.channel && folder != new && !inUse.contains(folder) {
            try onIndex { index throws(SQLiteError) in
                if try index.folders(.inUse).contains(folder) { try index.set(folder, .settled) }
            }
            knownFolders.remove(folder)
        }
    }

    package func growingBytes(channel: Int) -> Int64 {
        growing.values.reduce(0) { $0 + ($1.row.key.channel == channel ? $1.length : 0) }
    }

    /// Whether footage may lie on the disk that no row knows.
    var hasUnscannedFolder: Bool {
        get throws(StorageFailure) {
            try onIndex { index throws(SQLiteError) in try !index.folders(.unscanned).isEmpty }
        }
    }

    func hasFile(_ segment: Segment) throws(StorageFailure) -> Bool {
        do throws(StorageFailure) {
            _ = try store.open(segment.path, forWriting: false)
            return true
        } catch  where error.kind == .noSuchFile {
            return false
        }
    }

    /// Nothing was ever recorded with this index, so the files that may be there belong to one that is lost.
    var isFirstSession: Bool {
        get throws(StorageFailure) {
            try onIndex { index throws(SQLiteError) in
                guard try index.database.highestID() == 0 else { return false }
                return try index.folder(after: nil) == nil
            }
        }
    }

    /// Rows and files of a folder were found to agree.
    func settle(_ folder: RecordingIndex.Folder) throws(StorageFailure) {
        let isInUse = knownFolders.contains(folder)
        try onIndex { index throws(SQLiteError) in try index.set(folder, isInUse ? .inUse : .settled) }
    }

    // MARK: Placing

    private func place(
        _ key: StreamKey, time: MediaTime, reading: WallClockReading
    ) throws(StorageFailure) -> StreamClock.Placement {
        var clock: StreamClock
        if let known = clocks[key] {
            clock = known
        } else {
            let last = try onIndex { index throws(SQLiteError) in try index.database.lastSegment(of: key) }
            clock = StreamClock(last: last, boot: boot)
        }
        if clock.wantsReanchoring(reading) {
            try onIndex { index throws(SQLiteError) in try index.reanchor(key, boot: boot, to: reading) }
            let last = try onIndex { index throws(SQLiteError) in try index.database.lastSegment(of: key) }
            clock.lastEnd = last?.end
        }
        let placement = clock.place(time, reading)
        if placement.needsRoom {
            try onIndex { index throws(SQLiteError) in try index.makeRoom(key, before: placement.start) }
            clock.lastEnd = placement.start
        }
        clocks[key] = clock
        return placement
    }

    /// Whether the wall clock was set since this segment began, so that it should end and another begin.
    package func isOffClock(_ segment: GrowingSegment, _ reading: WallClockReading) -> Bool {
        StreamClock.hasStepped(from: segment.clock, to: reading)
    }

    // MARK: Growing

    /// - Returns: nil, or why the frame is not in the file, which itself is fine.
    package func append(
        _ frame: EncodedFrame, format: StreamFormat, to segment: GrowingSegment
    ) throws(StorageFailure) -> MP4Writer.Refusal? {
        let actions: [MP4FileAction]
        do throws(MP4Writer.Refusal) {
            actions = try segment.writer.append(frame, format: format)
        } catch {
            return error
        }
        guard !actions.isEmpty else { return nil }
        try segment.output.perform(actions)
        live.set(segment)
        return nil
    }

    /// Puts on the disk what waits for its fragment to be whole: the next picture, at `time`, is the next segment's.
    func flush(_ segment: GrowingSegment, until time: MediaTime) throws(StorageFailure) {
        try segment.output.perform(segment.writer.flush(until: time))
        live.set(segment)
    }

    /// Gives the file its final form. One without a frame goes.
    /// - Parameter end: where the next segment begins, if it is known.
    package func finish(_ segment: GrowingSegment, end: MediaTime? = nil) throws(StorageFailure) {
        let key = segment.row.key
        guard !segment.writer.isEmpty else { return try discard(segment) }
        try segment.output.perform(segment.writer.finish(end: end))
        let mediaEnd = end ?? segment.row.mediaStart + segment.writer.duration
        let size = segment.output.length
        let endTime = segment.milliseconds(at: mediaEnd)
        try onIndex { index throws(SQLiteError) in
            try index.close(
                id: segment.row.id, size: size, end: endTime, mediaEnd: mediaEnd, sample: segment.output.sample)
        }
        clocks[key]?.lastEnd = max(segment.row.start, endTime)
        count(key.channel, segments: 0, bytes: size)
        growing[key] = nil
        live.remove(segment)
    }

    private func discard(_ segment: GrowingSegment) throws(StorageFailure) {
        growing[segment.row.key] = nil
        live.remove(segment)
        try delete([segment.row])
    }

    func note(_ gap: RecordingGap) throws(StorageFailure) {
        try onIndex { index throws(SQLiteError) in try index.insert(gap) }
    }

    // MARK: Deleting

    /// Some segments at once, so that their steps are shared. What somebody reads stays readable until it is let go.
    package func delete(_ segments: [Segment]) throws(StorageFailure) {
        guard !segments.isEmpty else { return }
        try onIndex { index throws(SQLiteError) in try index.markDeleting(segments.map(\.id)) }
        try finishDeletion(of: segments)
    }

    func finishDeletion(of segments: [Segment]) throws(StorageFailure) {
        var folders: Set<RecordingIndex.Folder> = []
        for segment in segments {
            try store.remove(segment.path)
            readers.deleted(segment)
            folders.insert(RecordingIndex.Folder(channel: segment.key.channel, day: segment.name.folder))
        }
        for folder in folders {
            let path = RecordingPath.folder(folder.channel, day: folder.day)
            do throws(StorageFailure) {
                try store.syncFolder(path)
            } catch  where error.kind == .noSuchFile {
                // The whole folder is gone already.
            }
        }
        try drop(segments)
        for folder in folders { try removeIfEmpty(folder) }
    }

    /// Rows whose files are gone.
    func drop(_ segments: [Segment]) throws(StorageFailure) {
        try onIndex { index throws(SQLiteError) in try index.drop(segments) }
        for segment in segments { count(segment.key.channel, segments: -1, bytes: -segment.size) }
    }

    private func removeIfEmpty(_ folder: RecordingIndex.Folder) throws(StorageFailure) {
        let isUsed = growing.values.contains {
            $0.row.key.channel == folder.channel && $0.row.name.folder == folder.day
        }
        let rows = try onIndex { index throws(SQLiteError) in
            try index.database.segments(channel: folder.channel, day: folder.day)
        }
        guard rows.isEmpty, !isUsed else { return }
        // Unless something lies in it that is not ours, or not yet known to be.
        try store.removeFolder(RecordingPath.folder(folder.channel, day: folder.day))
        guard try store.list(RecordingPath.folder(folder.channel, day: folder.day)).isEmpty else { return }
        knownFolders.remove(folder)
        try onIndex { index throws(SQLiteError) in try index.forget(folder) }
    }

    func count(_ channel: Int, segments: Int, bytes: Int64) {
        totals[channel, default: ArchiveTotal()].segments += segments
        totals[channel, default: ArchiveTotal()].bytes += bytes
    }

    // MARK: Ending

    /// Lets go of what grows without another write, since the disk failed. It is closed when the disk is back.
    package func abandon() {
        for segment in growing.values { live.remove(segment) }
        growing = [:]
    }

    /// Everything is closed: the next start may believe the index.
    package func end() throws(StorageFailure) {
        guard growing.isEmpty else { return }
        try onIndex { index throws(SQLiteError) in try index.endSession() }
    }
}
