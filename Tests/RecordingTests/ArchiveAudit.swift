import Containers
import Media
import NIOCore
import Recording
import Streaming
import Testing

/// Whether rows and files agree, as they must whenever nothing is being recorded and recovery has been.
enum ArchiveAudit {
    /// For an index that was built anew, whose rows come as the files are found.
    static func checkWithoutOrder(_ rig: TestRig) throws { try check(rig, isOrdered: false) }

    static func check(_ rig: TestRig, _ comment: Comment? = nil, isOrdered: Bool = true) throws {
        let database = try SQLiteDatabase(path: rig.indexPath)
        let unfinished = try database.segments(in: .open) + database.segments(in: .deleting)
        #expect(unfinished.isEmpty, comment)
        var names: Set<String> = []
        var totals: [Int: ArchiveTotal] = [:]
        for stream in rig.streams {
            let rows = try rig.segments(stream.key)
            for (row, next) in zip(rows, rows.dropFirst()) {
                #expect(row.end <= next.start, comment)
                #expect(!isOrdered || row.id < next.id, comment)
            }
            for row in rows {
                names.insert(row.path)
                totals[row.key.channel, default: ArchiveTotal()].segments += 1
                totals[row.key.channel, default: ArchiveTotal()].bytes += row.size
                try check(row, rig, comment)
            }
        }
        let files = rig.store.files.keys.filter { $0.hasSuffix(SegmentName.fileExtension) }
        #expect(Set(files) == names, comment)
        #expect(try database.totals().filter { $0.value.segments > 0 } == totals, comment)
    }

    private static func check(_ row: Segment, _ rig: TestRig, _ comment: Comment?) throws {
        let file = try rig.store.open(row.path, forWriting: false)
        #expect(try file.length() == row.size, comment)
        let reader = try MP4Reader(length: row.size) { try? file.read(at: $0, count: $1) }
        #expect(reader.isFinished, comment)
        #expect(reader.identity?.start == row.mediaStart && reader.identity?.boot == row.boot, comment)
        #expect(row.end >= row.start, comment)
        for kind in [MediaKind.video, .audio] {
            let numbers = try rig.numbers(kind, in: row)
            #expect(!numbers.contains(-1), comment)
        }
    }
}
