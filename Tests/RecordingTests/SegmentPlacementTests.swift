import Containers
import Media
import Recording
import Streaming
import TestSupport
import Testing

/// Clocks that step, and where footage ends up on their line.
@Suite struct SegmentPlacementTests {
    private static let key = StreamKey(channel: 0, stream: .main)

    private func rig(isTrusted: Bool, utc: Int64 = 1_795_000_000_000) throws -> TestRig {
        let rig = try TestRig(time: SimulatedTime(utc: utc, isTrusted: isTrusted))
        try rig.addStream()
        return rig
    }

    /// What must hold whatever the clock does.
    private func check(_ rig: TestRig, _ comment: Comment? = nil) throws {
        let rows = try rig.segments(Self.key)
        for (row, next) in zip(rows, rows.dropFirst()) {
            #expect(row.end <= next.start, comment)
            #expect(row.id < next.id, comment)
        }
        for row in rows where row.state == .closed {
            let file = try rig.store.open(row.path, forWriting: false)
            let reader = try MP4Reader(length: row.size) { try? file.read(at: $0, count: $1) }
            let tolerance: Int64 = 150
            #expect(abs(row.end - row.start - reader.duration.milliseconds) <= tolerance, comment)
        }
        let holes = TestStream.holes(in: try rig.numbers(.video, Self.key))
        #expect(holes == [], comment)
    }

    @Test func adjoiningSegmentsAdjoinToTheMillisecond() throws {
        let rig = try rig(isTrusted: true)
        rig.start()
        rig.run(seconds: 65)
        rig.stop()
        try check(rig)
        let rows = try rig.segments(Self.key)
        #expect(rows.count == 7)
        #expect(rows[0].start == 1_795_000_000_000)
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.end == $1.start })
        #expect(try rig.gaps(Self.key).isEmpty)
    }

    @Test func footageFromBeforeTheClockWasSetTakesItsPlace() throws {
        // The first day of 1970, then the network tells the time.
        let rig = try rig(isTrusted: false, utc: 60_000)
        rig.start()
        rig.run(seconds: 25)
        rig.time.step(by: 1_795_000_000_000)
        rig.time.trust(true)
        rig.run(seconds: 25)
        rig.stop()
        try check(rig)
        let rows = try rig.segments(Self.key)
        #expect(rows.first?.start == 1_795_000_060_000)
        #expect(rows.first?.name.folder == "19700101")
        #expect(rows.allSatisfy { $0.isClockTrusted })
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $1.start - $0.end <= 1 })
    }

    @Test func aStepForwardLeavesAGapAndNothingElse() throws {
        let rig = try rig(isTrusted: true)
        rig.start()
        rig.run(seconds: 15)
        rig.time.step(by: 3_600_000)
        rig.run(seconds: 15)
        rig.stop()
        try check(rig)
        let rows = try rig.segments(Self.key)
        #expect(rows.first?.start == 1_795_000_000_000)
        #expect(rows.last.map { $0.end - 1_795_000_000_000 >= 3_600_000 + 29_000 } ?? false)
    }

    @Test func aStepBackMovesWhatWasPlacedByTheWrongClock() throws {
        let rig = try rig(isTrusted: true)
        rig.start()
        rig.run(seconds: 15)
        rig.time.step(by: -3_600_000)
        rig.run(seconds: 15)
        rig.stop()
        try check(rig)
        let rows = try rig.segments(Self.key)
        // The newest reading of the clock is right.
        #expect(rows.last.map { abs($0.end - rig.time.utc) < 1000 } ?? false)
        let corrected: Int64 = 1_795_000_000_000 - 3_600_000
        #expect(rows.first?.start == corrected)
    }

    @Test func aClockThatNobodyTrustsMovesNoFootageOfOthers() throws {
        let rig = try rig(isTrusted: true)
        rig.start()
        rig.run(seconds: 15)
        rig.stop()
        let before = try rig.segments(Self.key)
        // A boot without network: the clock begins in 1970 again.
        rig.boot = UniqueID(high: 1, low: 2)
        rig.time.step(by: -1_795_000_000_000)
        rig.time.trust(false)
        rig.start()
        rig.run(seconds: 15)
        let held = try rig.segments(Self.key)
        #expect(Array(held.prefix(before.count)) == before)
        #expect(held[before.count].start == before.last?.end)
        #expect(!held[before.count].isClockTrusted)
        // Then the network is there after all.
        rig.time.step(by: 1_795_000_600_000)
        rig.time.trust(true)
        rig.run(seconds: 15)
        rig.stop()
        try check(rig)
        let after = try rig.segments(Self.key)
        #expect(Array(after.prefix(before.count)) == before)
        #expect(after[before.count].start > 1_795_000_600_000)
    }

    @Test func smallStepsCutNothing() throws {
        let rig = try rig(isTrusted: true)
        rig.start()
        rig.run(seconds: 5)
        rig.time.step(by: -300)
        rig.run(seconds: 10)
        rig.time.step(by: 200)
        rig.run(seconds: 10)
        rig.stop()
        try check(rig)
        #expect(try rig.segments(Self.key).count == 3)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func whateverTheClockDoesNothingIsLostAndNothingOverlaps(_ seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let rig = try rig(isTrusted: random.below(2) == 0)
        rig.start()
        for round in 0..<25 {
            rig.run(seconds: Double(random.below(200)) / 10 + 1)
            switch random.below(6) {
            case 0: rig.time.step(by: Int64(random.below(7_200_000)) - 3_600_000)
            case 1: rig.time.step(by: Int64(random.below(2000)) - 1000)
            case 2: rig.time.trust(random.below(2) == 0)
            case 3:
                rig.stop()
                if random.below(2) == 0 { rig.boot = UniqueID(high: 2, low: UInt64(round)) }
                rig.start()
            case 4: rig.time.step(by: Int64(random.below(1 << 40)) - 1 << 39)
            default: break
            }
        }
        rig.stop()
        try check(rig, "seed \(seed)")
        try ArchiveAudit.check(rig, "seed \(seed)")
    }
}
