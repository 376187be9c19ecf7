import Containers
import Media
import NIOCore

/// Reads samples of what was written back from the disk, one a minute: cheap cards acknowledge what they do not keep.
struct ReadBack {
    enum Result {
        case good
        case damaged(Segment)
    }

    static let interval = MediaTime.seconds(60)

    private var nextAt: MediaTime?

    mutating func tick(_ archive: RecordingArchive, now: MediaTime) throws(StorageFailure) -> Result? {
        guard let nextAt else {
            self.nextAt = now + Self.interval
            return nil
        }
        guard now >= nextAt else { return nil }
        self.nextAt = now + Self.interval
        return try readOne(archive)
    }

    private func readOne(_ archive: RecordingArchive) throws(StorageFailure) -> Result? {
        let segment = try archive.onIndex { index throws(SQLiteError) in
            let highest = try index.database.highestID()
            return try index.database.closedSegment(fromID: .random(in: 0...max(0, highest)))
        }
        guard let segment, !segment.isDamaged,
            let sample = try archive.onIndex({ index throws(SQLiteError) in try index.sample(id: segment.id) })
        else { return nil }
        guard try !isKept(sample, of: segment, archive) else { return .good }
        if try !archive.hasFile(segment) {
            try archive.drop([segment])
            return nil
        }
        try archive.onIndex { index throws(SQLiteError) in try index.setDamaged(id: segment.id) }
        return .damaged(segment)
    }

    private func isKept(
        _ sample: ReadBackSample, of segment: Segment, _ archive: RecordingArchive
    ) throws(StorageFailure) -> Bool {
        guard let file = try? archive.store.open(segment.path, forWriting: false),
            let bytes = try? file.readFromDisk(at: sample.offset, count: sample.length)
        else { return false }
        var sum = CRC32C()
        bytes.withUnsafeReadableBytes { sum.update($0) }
        return bytes.readableBytes == sample.length && sum.value == sample.sum
    }
}
