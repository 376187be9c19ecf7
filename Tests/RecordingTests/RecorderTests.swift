import Media
import Recording
import Streaming
import Testing

/// Which frames go into which file, and when.
@Suite struct RecorderTests {
    private static let key = StreamKey(channel: 0, stream: .main)

    private func rig(
        mode: RecordingPlan.Mode = .continuous, preRoll: MediaTime = .zero, hasVideo: Bool = true,
        hasAudio: Bool = true
    ) throws -> TestRig {
        let rig = try TestRig()
        try rig.addStream(mode: mode, preRoll: preRoll, hasVideo: hasVideo, hasAudio: hasAudio)
        return rig
    }

    @Test func everyFrameIsInOneFileAndOnlyThere() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 120)
        rig.stop()
        let rows = try rig.segments(Self.key)
        #expect(rows.count == 12)
        #expect(try rig.numbers(.video, Self.key) == Array(0..<600))
        let sounds = try rig.numbers(.audio, Self.key)
        #expect(sounds == Array(0..<sounds.count) && sounds.count >= 936)
        try ArchiveAudit.check(rig)
    }

    @Test func soundAtACutIsOnItsSide() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 60)
        rig.stop()
        for row in try rig.segments(Self.key).dropFirst() {
            let first = try #require(try rig.numbers(.audio, in: row).first)
            let time = MediaTime.seconds(100) + .samples(Int64(first) * 1024, rate: 8000)
            #expect(time >= row.mediaStart)
            #expect(time - row.mediaStart < .samples(1024, rate: 8000))
        }
    }

    @Test func soundAloneIsRecordedToo() throws {
        let rig = try rig(hasVideo: false)
        rig.start()
        rig.run(seconds: 35)
        rig.stop()
        let sounds = try rig.numbers(.audio, Self.key)
        #expect(sounds == Array(0..<sounds.count) && sounds.count > 260)
        #expect(try rig.segments(Self.key).count == 4)
    }

    @Test func picturesAloneAreRecordedToo() throws {
        let rig = try rig(hasAudio: false)
        rig.start()
        rig.run(seconds: 35)
        rig.stop()
        #expect(try rig.numbers(.video, Self.key) == Array(0..<175))
    }

    @Test func aCommandBeginsWithThePreRoll() throws {
        let rig = try rig(mode: .command, preRoll: .seconds(3))
        rig.start()
        #expect(rig.status.streams.first?.state == .buffering)
        rig.run(seconds: 20)
        #expect(try rig.segments(Self.key).isEmpty)
        try rig.engine?.command(Self.key, RecordingCommand(until: nil))
        rig.run(seconds: 5)
        #expect(rig.status.streams.first?.state == .recording)
        try rig.engine?.command(Self.key, nil)
        rig.run(seconds: 5)
        rig.stop()
        let rows = try rig.segments(Self.key)
        #expect(rows.allSatisfy { $0.kind == .commanded })
        let numbers = try rig.numbers(.video, Self.key)
        let first = try #require(numbers.first)
        // At least three seconds, from a key picture on, and at most a group more.
        #expect(first % 5 == 0 && (80...85).contains(first))
        #expect(numbers == Array(first..<first + numbers.count))
        #expect((124...125).contains(numbers.last ?? 0))
        #expect(try rig.gaps(Self.key).isEmpty)
    }

    /// The group, and how many pictures of a megabyte the recording on command begins with.
    @Test(arguments: [(5, 11...15), (50, 0...0)])
    func thePreRollIsBounded(group: Int, kept: ClosedRange<Int>) throws {
        let rig = try rig(mode: .command, preRoll: .seconds(60), hasAudio: false)
        rig.streams[0].pictureBytes = 1 << 20
        rig.streams[0].group = group
        rig.start()
        rig.run(seconds: 25)
        let made = rig.streams[0].picturesMade
        try rig.engine?.command(Self.key, RecordingCommand(until: nil))
        rig.run(seconds: 12)
        rig.stop()
        let numbers = try rig.numbers(.video, Self.key)
        let first = try #require(numbers.first)
        #expect(TestStream.holes(in: numbers, from: first) == [])
        #expect(kept.contains(max(0, made - first)), "\(made) made, from \(first) on")
    }

    @Test func aCommandEndsByItselfAndOutlivesTheAgent() throws {
        let rig = try rig(mode: .command)
        rig.start()
        try rig.engine?.command(Self.key, RecordingCommand(until: rig.time.utc + 20_000))
        rig.run(seconds: 5)
        rig.stop()
        rig.start()
        rig.run(seconds: 30)
        #expect(rig.status.streams.first?.state == .off)
        rig.stop()
        let rows = try rig.segments(Self.key)
        let end = try #require(rows.last?.end)
        #expect((1_795_000_019_000...1_795_000_021_500).contains(end))
    }

    @Test func aScheduleOpensAndCloses() throws {
        let rig = try rig(mode: .schedule)
        // The rig's clock shows 2026-11-18 12:06:40 of a Wednesday, an hour ahead of UTC.
        #expect(TestRig.calendar.minuteOfWeek(of: rig.time.utc) == 2 * 1440 + 12 * 60 + 6)
        try rig.settings.plans[0].schedule.add("wed 12:07-12:08")
        rig.start()
        rig.run(seconds: 120)
        rig.stop()
        let rows = try rig.segments(Self.key)
        let (first, last) = (try #require(rows.first), try #require(rows.last))
        let opening: Int64 = 1_795_000_020_000
        #expect(first.kind == .scheduled)
        #expect((opening...opening + 2000).contains(first.start))
        #expect((opening + 59_000...opening + 61_500).contains(last.end))
        #expect(try rig.gaps(Self.key).isEmpty)
    }

    @Test func lostFramesAreCountedAndNoted() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 15)
        rig.missed[Self.key] = 31
        rig.streams[0].skip(to: rig.time.now() + .seconds(4))
        rig.run(seconds: 20)
        #expect(rig.status.streams.first?.counters.framesLost == 31)
        rig.stop()
        let gap = try #require(try rig.gaps(Self.key).first)
        #expect(gap.cause == .slowDisk)
        #expect((3500...5500).contains(gap.end - gap.start))
        #expect(try rig.gaps(Self.key).count == 1)
        try ArchiveAudit.check(rig)
    }

    @Test func aSilentStreamClosesItsFileAndLeavesAGap() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 5)
        rig.streams[0].skip(to: rig.time.now() + .seconds(60))
        rig.run(seconds: 30)
        #expect(rig.status.streams.first?.state == .waiting)
        rig.run(seconds: 40)
        rig.stop()
        let gap = try #require(try rig.gaps(Self.key).first)
        #expect(gap.cause == .noFrames)
        #expect((59_000...61_500).contains(gap.end - gap.start))
        try ArchiveAudit.check(rig)
    }

    @Test func anAgentThatWasAwayLeavesAGap() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 12)
        rig.stop()
        rig.time.advance(by: .seconds(300))
        rig.streams[0].skip(to: rig.time.now())
        rig.start()
        rig.run(seconds: 12)
        rig.stop()
        let gap = try #require(try rig.gaps(Self.key).first)
        #expect(gap.cause == .agentDown)
        #expect((299_000...302_000).contains(gap.end - gap.start))
    }

    @Test func plansChangeUnderWay() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 15)
        let plans = rig.settings.plans
        rig.settings.plans = []
        rig.engine?.apply(rig.settings)
        #expect(rig.engine?.wantedStreams.isEmpty == true)
        rig.run(seconds: 15)
        rig.settings.plans = plans
        rig.engine?.apply(rig.settings)
        rig.run(seconds: 15)
        rig.stop()
        #expect(try rig.gaps(Self.key).isEmpty)
        try ArchiveAudit.check(rig)
        #expect(try rig.segments(Self.key).count == 4)
    }
}
