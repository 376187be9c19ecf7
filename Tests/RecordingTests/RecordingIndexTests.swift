import Containers
import Glibc
import Media
import Recording
import Streaming
import TestSupport
import Testing

@Suite struct RecordingIndexTests {
    private static let key = StreamKey(channel: 0, stream: .main)

    private func insert(_ index: RecordingIndex, start: Int64, number: Int) throws -> Segment {
        let text = String(number + 1_000_000).dropFirst()
        let name = try #require(SegmentName("20261121/\(text)-main-00000000.mp4"))
        return try index.insertClosed(
            RecordingIndex.NewSegment(
                key: Self.key, name: name, kind: .continuous, start: start, mediaStart: .zero,
                boot: UniqueID(high: 1, low: 1), isClockTrusted: true),
            size: 100, end: start + 1000, mediaEnd: .seconds(1))
    }

    @Test func gapsAreBounded() throws {
        let index = try RecordingIndex(path: ":memory:")
        let count = RecordingIndex.maximumGaps + 50
        for number in 0..<count {
            let start = Int64(number) * 10_000
            try index.insert(RecordingGap(key: Self.key, start: start, end: start + 5000, cause: .noFrames))
        }
        let gaps = try index.database.gaps(of: Self.key, in: Int64.min..<Int64.max)
        #expect(gaps.count == RecordingIndex.maximumGaps)
        #expect(gaps.first?.start == 500_000 && gaps.last?.end == Int64(count - 1) * 10_000 + 5000)
    }

    @Test func gapsInFrontOfAllFootageGoWithIt() throws {
        let index = try RecordingIndex(path: ":memory:")
        let first = try insert(index, start: 0, number: 0)
        _ = try insert(index, start: 20_000, number: 1)
        try index.insert(RecordingGap(key: Self.key, start: 1000, end: 20_000, cause: .noFrames))
        try index.insert(RecordingGap(key: Self.key, start: 21_000, end: 30_000, cause: .diskFull))
        try index.drop([first])
        #expect(try index.database.gaps(of: Self.key, in: Int64.min..<Int64.max).map(\.cause) == [.diskFull])
    }

    @Test func totalsFollowTheRows() throws {
        let index = try RecordingIndex(path: ":memory:")
        let rows = try (0..<5).map { try insert(index, start: Int64($0) * 1000, number: $0) }
        try index.close(id: rows[0].id, size: 1000, end: 1000, mediaEnd: .seconds(1))
        #expect(try index.database.totals() == [0: ArchiveTotal(segments: 5, bytes: 1400)])
        try index.drop(Array(rows.prefix(2)))
        #expect(try index.database.totals() == [0: ArchiveTotal(segments: 3, bytes: 300)])
    }

    @Test func whatOverlapsARangeIsFound() throws {
        let index = try RecordingIndex(path: ":memory:")
        let rows = try (0..<4).map { try insert(index, start: Int64($0) * 2000, number: $0) }
        func found(_ range: Range<Int64>) throws -> [Int64] {
            try index.database.segments(of: Self.key, in: range).map(\.id)
        }
        #expect(try found(0..<1) == [rows[0].id])
        #expect(try found(999..<2000) == [rows[0].id])
        #expect(try found(1000..<2000) == [], "ends are not part of what they end")
        #expect(try found(2500..<4001) == [rows[1].id, rows[2].id])
        #expect(try found(7000..<99_000) == [] && found(5..<5) == [])
        #expect(try found(Int64.min..<Int64.max) == rows.map(\.id))
    }

    @Test(arguments: ["PRAGMA user_version = 2", "PRAGMA user_version = -1"])
    func anIndexOfAnotherVersionIsNotTouched(change: String) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/index.sqlite"
        _ = try RecordingIndex(path: path)
        try SQLiteDatabase(path: path).script(change)
        let failure = #expect(throws: StorageFailure.self) { _ = try RecordingIndex(path: path) }
        #expect(failure?.kind == .damagedIndex)
    }

    @Test func whatIsNoDatabaseIsSaidToBeDamaged() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/index.sqlite"
        try writeFile(path, Array(repeating: 7, count: 20_000))
        let failure = #expect(throws: StorageFailure.self) { _ = try RecordingIndex(path: path) }
        #expect(failure?.kind == .damagedIndex)
    }
}
