import Containers
import Media
import Streaming

/// What recovery found and did.
package struct RecoveryReport: Sendable, Hashable {
    /// The last session ended in order, so there was nothing to look for.
    package var wasClean = true
    /// Open segments that were given their final form.
    package var closed = 0
    /// Rows whose files were gone or held nothing that can be played.
    package var dropped = 0
    /// Files that were given a row.
    package var adopted = 0
    /// Files that held nothing that can be played.
    package var removed = 0
    /// Files that the disk refuses to read.
    package var damaged = 0
    /// Deletions that were carried to their end.
    package var deleted = 0

    package init() {}
}

/// Brings rows and files into agreement after a crash. What it looks at is bounded by what was going on when the crash
/// came, not by the archive: rows that are open or marked, and the day folders that were in use.
extension RecordingArchive {
    /// To be called once, before anything is recorded.
    /// - Throws: `damagedIndex` where the index itself cannot be believed.
    package func recover() throws(StorageFailure) -> RecoveryReport {
        var report = RecoveryReport()
        report.wasClean = try onIndex { index throws(SQLiteError) in try index.beginSession() }
        if !report.wasClean {
            guard try onIndex({ index throws(SQLiteError) in try index.isIntact() }) else {
                throw StorageFailure(.damagedIndex, "the index does not hold together")
            }
        }
        // First, since they make room.
        let going = try onIndex { index throws(SQLiteError) in try index.database.segments(in: .deleting) }
        try finishDeletion(of: going)
        report.deleted = going.count
        let open = try onIndex { index throws(SQLiteError) in try index.database.segments(in: .open) }
        for row in open { try close(row, &report) }
        let folders = try onIndex { index throws(SQLiteError) in try index.folders(.inUse) }
        for folder in folders {
            var scan = try FolderScan(folder, archive: self)
            while try scan.step(&report) {}
        }
        try reloadTotals()
        return report
    }

    /// Marks every day folder there is to be looked through: for an index that begins anew.
    package func markAllUnscanned() throws(StorageFailure) {
        for entry in try store.list("") where entry.isFolder {
            guard let channel = RecordingPath.channel(ofFolder: entry.name) else { continue }
            let days = try store.list(entry.name).filter { $0.isFolder && SegmentName.isFolder($0.name.utf8) }
            try onIndex { index throws(SQLiteError) in
                try index.database.transaction { () throws(SQLiteError) in
                    for day in days { try index.set(.init(channel: channel, day: day.name), .unscanned) }
                }
            }
        }
    }

    /// Gives an open row's file its final form; drops the row where there is nothing to play.
    func close(_ row: Segment, _ report: inout RecoveryReport) throws(StorageFailure) {
        switch try inspect(row.path) {
        case .nothing:
            try finishDeletion(of: [row])
            report.dropped += 1
        case .playable(let found):
            try onIndex { index throws(SQLiteError) in
                let next = try index.database.segment(of: row.key, from: row.start + 1)
                let room = next.map { $0.start - row.start } ?? .max
                let duration = min(room, found.duration.milliseconds)
                try index.close(
                    id: row.id, size: found.size, end: row.start + duration,
                    mediaEnd: row.mediaStart + .milliseconds(duration))
            }
            count(row.key.channel, segments: 0, bytes: found.size - row.size)
            report.closed += 1
        case .unreadable(let size):
            try onIndex { index throws(SQLiteError) in
                try index.close(id: row.id, size: size, end: row.end, mediaEnd: row.mediaStart)
                try index.setDamaged(id: row.id)
            }
            count(row.key.channel, segments: 0, bytes: size - row.size)
            report.damaged += 1
        }
    }

    /// Gives a file without a row one; removes it where there is nothing to play.
    func adopt(_ name: SegmentName, channel: Int, _ report: inout RecoveryReport) throws(StorageFailure) {
        let path = RecordingPath.file(channel, name)
        let found: FoundSegment
        switch try inspect(path) {
        case .playable(let playable): found = playable
        case .unreadable:
            report.damaged += 1
            return
        case .nothing:
            try store.remove(path)
            report.removed += 1
            return
        }
        guard let identity = found.identity, let stream = name.stream else { return }
        let key = StreamKey(channel: channel, stream: stream)
        let duration = found.duration.milliseconds
        _ = try onIndex { index throws(SQLiteError) in
            // The clock may have become known after this file was begun.
            let later = identity.isClockTrusted ? nil : try index.trustedOffset(boot: identity.boot)
            let claimed = later?.milliseconds(at: identity.start) ?? identity.utcStart
            let place = try index.freePlace(key, from: claimed, duration: duration)
            return try index.insertClosed(
                RecordingIndex.NewSegment(
                    key: key, name: name, kind: RecordingKind(rawValue: identity.kind) ?? .continuous,
                    start: place.lowerBound, mediaStart: identity.start, boot: identity.boot,
                    isClockTrusted: place.lowerBound == claimed && (identity.isClockTrusted || later != nil)),
                size: found.size, end: place.upperBound,
                mediaEnd: identity.start + .milliseconds(place.upperBound - place.lowerBound))
        }
        count(channel, segments: 1, bytes: found.size)
        report.adopted += 1
    }

    /// A file that can be played, in its final form.
    private struct FoundSegment {
        let size: Int64
        let duration: MediaTime
        let identity: SegmentIdentity?
    }

    private enum Inspection {
        /// No file, or nothing in it to play.
        case nothing
        case playable(FoundSegment)
        /// The disk refuses to read it; it has so many bytes.
        case unreadable(Int64)
    }

    /// Looks into a file and closes it where that was not done.
    private func inspect(_ path: String) throws(StorageFailure) -> Inspection {
        let file: any StoredFile
        do throws(StorageFailure) {
            file = try store.open(path, forWriting: true)
        } catch  where error.kind == .noSuchFile {
            return .nothing
        }
        let length = try file.length()
        let reader: MP4Reader
        do throws(MP4Reader.Failure) {
            reader = try MP4Reader(length: length, check: .lastFragment) { try? file.read(at: $0, count: $1) }
        } catch .unreadable {
            return .unreadable(length)
        } catch {
            return .nothing
        }
        guard reader.sampleCount(.video) + reader.sampleCount(.audio) > 0 else { return .nothing }
        var output = SegmentOutput(file: file, length: length)
        try output.perform(reader.repair())
        return .playable(
            FoundSegment(size: output.length, duration: reader.duration, identity: reader.identity))
    }
}

/// Compares one day folder with its rows, a file at a time.
package struct FolderScan {
    package let folder: RecordingIndex.Folder
    private let archive: RecordingArchive
    private var work: [Step]

    private enum Step {
        case drop(Segment)
        case reconsider(Segment)
        case adopt(SegmentName)
    }

    package init(_ folder: RecordingIndex.Folder, archive: RecordingArchive) throws(StorageFailure) {
        self.folder = folder
        self.archive = archive
        let entries = try archive.store.list(RecordingPath.folder(folder.channel, day: folder.day))
        let rows = try archive.onIndex { index throws(SQLiteError) in
            try index.database.segments(channel: folder.channel, day: folder.day)
        }
        var files: [SegmentName: Int64] = [:]
        for entry in entries where !entry.isFolder {
            if let name = SegmentName("\(folder.day)/\(entry.name)") { files[name] = entry.size }
        }
        let known = Set(rows.map(\.name))
        work = rows.compactMap { row in
            // What grows, or goes, is somebody else's.
            guard row.state == .closed else { return nil }
            guard let size = files[row.name] else { return .drop(row) }
            return size == row.size ? nil : .reconsider(row)
        }
        // In the order of recording, so that each finds its place behind the one before.
        work += files.keys.filter { !known.contains($0) }.sorted { $0.text > $1.text }.map { .adopt($0) }
    }

    /// One file more. False once all are done and the folder is marked so.
    package mutating func step(_ report: inout RecoveryReport) throws(StorageFailure) -> Bool {
        guard let next = work.popLast() else {
            try archive.settle(folder)
            return false
        }
        switch next {
        case .drop(let row) where try isThere(row):
            try archive.drop([row])
            report.dropped += 1
        case .reconsider(let row) where try isThere(row): try archive.close(row, &report)
        // Retention was faster.
        case .drop, .reconsider: break
        case .adopt(let name): try archive.adopt(name, channel: folder.channel, &report)
        }
        return true
    }

    private func isThere(_ row: Segment) throws(StorageFailure) -> Bool {
        try archive.onIndex { index throws(SQLiteError) in
            try index.database.segment(channel: row.key.channel, name: row.name)?.state == .closed
        }
    }
}
