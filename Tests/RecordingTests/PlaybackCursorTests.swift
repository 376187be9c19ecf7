import Containers
import Glibc
import Media
import Recording
import Streaming
import TestSupport
import Testing

/// Segments on a real disk, read through the cursor.
@Suite struct PlaybackCursorTests {
    private final class Footage {
        let folder: String
        let archive: RecordingArchive
        let catalog: RecordingCatalog
        let key = StreamKey(channel: 0, stream: .main)
        /// Milliseconds since 1970, UTC, when the monotonic clock shows 0.
        static let epoch: Int64 = 1_700_000_000_000
        private let reading = WallClockReading(offset: epoch * 1_000_000, isTrusted: true)
        private var stream: TestStream
        private var segment: GrowingSegment?
        private(set) var names: [SegmentName] = []

        init(_ quality: StreamQuality = .main, hasAudio: Bool = true) throws {
            folder = try temporaryFolder()
            let store = try FolderStore(path: folder)
            let index = try RecordingIndex(path: folder + "/index.sqlite")
            let (live, readers) = (LiveSegments(), SegmentReaders())
            let calendar = DayCalendar { _ in 0 }
            archive = try RecordingArchive(
                store: store, index: index, live: live, readers: readers, boot: UniqueID(high: 1, low: 1),
                device: "test", calendar: calendar)
            catalog = try RecordingCatalog(
                store: store, indexPath: folder + "/index.sqlite", live: live, readers: readers, calendar: calendar)
            stream = try TestStream(key, start: .zero, hasAudio: hasAudio)
        }

        deinit { removeFolder(folder) }

        /// Records up to a second; a segment that is begun goes on.
        func record(until second: Int64, closing: Bool = true, kind: RecordingKind = .continuous) throws {
            for frame in stream.frames(until: .seconds(second)) {
                if segment == nil {
                    guard frame.kind == .video, frame.isKey else { continue }
                    segment = try archive.begin(
                        key, kind: kind, format: frame.headers.all.format, time: frame.time, clock: reading)
                    if let segment { names.append(segment.row.name) }
                }
                guard let segment else { continue }
                let encoded = EncodedFrame(
                    kind: frame.kind, isKey: frame.isKey, time: frame.time, data: frame.data)
                _ = try archive.append(encoded, format: frame.headers.all.format, to: segment)
            }
            if closing { try close(at: second) }
        }

        func close(at second: Int64) throws {
            if let segment { try archive.finish(segment, end: .seconds(second)) }
            segment = nil
        }

        func skip(to second: Int64) { stream.skip(to: .seconds(second)) }

        func cursor(_ seconds: Range<Int64>, kind: RecordingKind? = nil) -> PlaybackCursor {
            let range = Self.epoch + seconds.lowerBound * 1000..<Self.epoch + seconds.upperBound * 1000
            return PlaybackCursor(source: catalog, key: key, range: range, kind: kind)
        }
    }

    private func read(
        _ cursor: PlaybackCursor, from seek: MediaTime? = .zero, keyPictures: Int? = nil
    ) -> (frames: [PlaybackFrame], state: PlaybackBatch.State) {
        var frames: [PlaybackFrame] = []
        var seek = seek
        while true {
            let batch = cursor.read(PlaybackRead(epoch: 0, seek: seek, keyPictures: keyPictures))
            seek = nil
            frames += batch.frames
            if batch.state != .more { return (frames, batch.state) }
        }
    }

    private func numbers(_ frames: [PlaybackFrame], _ kind: MediaKind = .video) -> [Int] {
        frames.filter { $0.kind == kind }.compactMap { TestStream.number(in: $0.frame.data) }
    }

    @Test func everyFrameOnceAcrossSegments() throws {
        let footage = try Footage()
        for end in [10, 20, 30] as [Int64] { try footage.record(until: end) }
        let (frames, state) = read(footage.cursor(0..<3600))
        #expect(state == .ended)
        #expect(numbers(frames) == Array(0..<150))
        let sounds = numbers(frames, .audio)
        #expect(sounds == Array(0..<sounds.count) && sounds.count > 225)
        for frame in frames where frame.kind == .video {
            #expect(frame.position == .milliseconds(Int64(TestStream.number(in: frame.frame.data) ?? -1) * 200))
            #expect(frame.line == frame.position)
        }
        // A viewer asks for the second segment by the seconds of its list.
        let one = read(footage.cursor(10..<21)).frames
        #expect(numbers(one) == Array(50..<105))
        #expect(one.first?.position == .zero)
    }

    @Test func aSeekBeginsAtTheKeyPictureBefore() throws {
        let footage = try Footage()
        for end in [10, 20, 30] as [Int64] { try footage.record(until: end) }
        let cursor = footage.cursor(5..<30)
        for (target, first) in [(0, 25), (2500, 35), (5000, 50), (5001, 50), (12_999, 85), (14_000, 95)]
            as [(Int64, Int)]
        {
            let batch = cursor.read(PlaybackRead(epoch: 0, seek: .milliseconds(target), keyPictures: nil))
            #expect(numbers(batch.frames).first == first, "\(target)")
            #expect(batch.frames.first?.isKey == true && batch.frames.first?.kind == .video)
            #expect(batch.frames.first?.line == batch.frames.first?.position)
        }
        let (rest, state) = read(cursor, from: .milliseconds(24_500))
        #expect(numbers(rest) == Array(145..<150) && state == .ended)
        #expect(read(cursor, from: .seconds(25)).frames.isEmpty)
    }

    @Test func whatKeyPicturesLeaveOutIsNoGap() throws {
        let footage = try Footage()
        // A key picture for each segment.
        for end in 1...8 as ClosedRange<Int64> { try footage.record(until: end) }
        let (frames, _) = read(footage.cursor(0..<3600), keyPictures: 1)
        #expect(frames.count == 8)
        for frame in frames { #expect(frame.line == frame.position) }
    }

    @Test func gapsAreTakenOutOfTheLine() throws {
        let footage = try Footage()
        try footage.record(until: 10)
        footage.skip(to: 100)
        try footage.record(until: 110)
        let (frames, _) = read(footage.cursor(0..<3600))
        let pictures = frames.filter { $0.kind == .video }
        #expect(pictures.count == 100)
        #expect(pictures[50].position == .seconds(100))
        #expect(abs((pictures[50].line - .seconds(10)).milliseconds) < 300)
        // A seek into the gap goes to its end.
        let late = read(footage.cursor(0..<3600), from: .seconds(50)).frames
        #expect(late.first?.position == .seconds(100) && late.first?.line == .seconds(100))
        // Before all footage.
        #expect(read(footage.cursor(-3600..<3600)).frames.first?.position == .seconds(3600))
    }

    @Test func aSegmentThatGrowsIsFollowed() throws {
        let footage = try Footage()
        try footage.record(until: 10)
        try footage.record(until: 13, closing: false)
        let cursor = footage.cursor(8..<60)
        let (first, state) = read(cursor)
        #expect(state == .waiting)
        let begun = numbers(first)
        #expect(begun.first == 40 && begun.count >= 20)
        try footage.record(until: 16, closing: false)
        let (second, again) = read(cursor, from: nil)
        #expect(again == .waiting)
        try footage.record(until: 20)
        let (third, _) = read(cursor, from: nil)
        try footage.record(until: 25)
        let (fourth, _) = read(cursor, from: nil)
        let all = [first, second, third, fourth].flatMap { $0 }
        #expect(numbers(all) == Array(40..<125))
        let sounds = numbers(all, .audio)
        #expect(sounds == Array((sounds.first ?? 0)...(sounds.last ?? 0)))
        // Nothing follows: after some looks it ends.
        var states: [PlaybackBatch.State] = []
        for _ in 0..<10 { states.append(read(cursor, from: nil).state) }
        #expect(states.last == .ended)
    }

    @Test func aSegmentThatIsDeletedMeanwhile() throws {
        let footage = try Footage()
        for end in [10, 20, 30] as [Int64] { try footage.record(until: end) }
        let cursor = footage.cursor(0..<60)
        _ = cursor.read(PlaybackRead(epoch: 0, seek: .zero, keyPictures: nil))
        let segments = try footage.catalog.segments(of: footage.key, in: 0..<Int64.max)
        // One that is being read, and one that would have been next.
        try footage.archive.delete(Array(segments.prefix(2)))
        let (frames, state) = read(cursor, from: nil)
        #expect(state == .ended)
        #expect(numbers(frames).suffix(50).elementsEqual(100..<150))
        #expect(numbers(frames).count > 90)
    }

    @Test func whatCannotBeReadIsNoEnd() throws {
        let footage = try Footage()
        try footage.record(until: 10)
        let cursor = footage.cursor(0..<60)
        let first = cursor.read(PlaybackRead(epoch: 0, seek: .zero, keyPictures: nil))
        #expect(first.state == .more && !first.frames.isEmpty)
        let segment = try #require(try footage.catalog.segments(of: footage.key, in: 0..<Int64.max).first)
        try #require(truncate("\(footage.folder)/\(segment.path)", 100) == 0)
        #expect(read(cursor, from: nil).state == .failed)
    }

    @Test func onlyKeyPicturesOrOneKind() throws {
        let footage = try Footage()
        try footage.record(until: 10)
        try footage.record(until: 20, kind: .commanded)
        let keys = read(footage.cursor(0..<60), keyPictures: 2).frames
        #expect(keys.allSatisfy { $0.isKey && $0.kind == .video })
        #expect(numbers(keys) == Array(stride(from: 0, to: 100, by: 10)))
        #expect(numbers(read(footage.cursor(0..<60, kind: .commanded)).frames) == Array(50..<100))
        #expect(read(footage.cursor(0..<60, kind: .scheduled)).frames.isEmpty)
    }

    @Test func theEndOfTheRangeEndsIt() throws {
        let footage = try Footage()
        for end in [10, 20] as [Int64] { try footage.record(until: end) }
        let (frames, state) = read(footage.cursor(3..<12))
        #expect(numbers(frames) == Array(15..<60) && state == .ended)
        #expect(read(footage.cursor(30..<60)).frames.isEmpty)
    }

    @Test func openingTakesTheBestStreamThereIs() throws {
        let footage = try Footage()
        try footage.record(until: 10)
        let range = Footage.epoch..<Footage.epoch + 60_000
        let opening = try #require(PlaybackOpening(channel: 0, range: range, source: footage.catalog))
        #expect(opening.stream == .main && opening.range == range)
        #expect(PlaybackOpening(channel: 1, range: range, source: footage.catalog) == nil)
    }
}
