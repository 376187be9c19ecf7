import Media
import Recording
import Streaming
import Testing

/// Recording over midnight and over changes of the clock, and windows of the week.
@Suite struct CalendarRecordingTests {
    private static let key = StreamKey(channel: 0, stream: .main)
    /// A Wednesday, 2026-11-18, 00:00 an hour ahead of UTC.
    private static let midnight: Int64 = 1_794_956_400_000

    private func rig(at utc: Int64, mode: RecordingPlan.Mode = .continuous, preRoll: MediaTime = .zero) throws
        -> TestRig
    {
        let rig = try TestRig(time: SimulatedTime(utc: utc))
        try rig.addStream(mode: mode, preRoll: preRoll)
        return rig
    }

    private func days(_ rig: TestRig, _ month: Int) throws -> [Int] {
        try SQLiteDatabase(path: rig.indexPath).days(of: Self.key, year: 2026, month: month, calendar: rig.calendar)
            .days
    }

    @Test func aFileOverMidnightBelongsToBothDays() throws {
        let rig = try rig(at: Self.midnight - 25_000)
        rig.start()
        rig.run(seconds: 24)
        #expect(try days(rig, 11) == [17])
        rig.run(seconds: 30)
        rig.stop()
        try ArchiveAudit.check(rig)
        let rows = try rig.segments(Self.key)
        #expect(rows.map(\.name.folder) == ["20261117", "20261117", "20261117", "20261118", "20261118", "20261118"])
        #expect(try days(rig, 11) == [17, 18])
        let day = rig.calendar.range(of: .init(year: 2026, month: 11, day: 18))
        let found = try SQLiteDatabase(path: rig.indexPath).segments(of: Self.key, in: day)
        #expect(found.map(\.id) == rows.dropFirst(2).map(\.id), "from the file on that reaches into the day")
        #expect(TestStream.holes(in: try rig.numbers(.video, Self.key)) == [])
    }

    /// The clock is set back from 03:00 to 02:00, and one hour comes twice.
    @Test func theHourThatComesTwiceIsRecordedTwice() throws {
        let change: Int64 = 1_792_890_000
        let rig = try rig(at: change * 1000 - 30_000)
        rig.calendar = DayCalendar { $0 < change ? 7200 : 3600 }
        rig.start()
        rig.run(seconds: 60)
        rig.stop()
        try ArchiveAudit.check(rig)
        let rows = try rig.segments(Self.key)
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.end == $1.start })
        #expect(rows.map { $0.name.file.prefix(6) } == ["025930", "025940", "025950", "020000", "020010", "020020"])
        #expect(TestStream.holes(in: try rig.numbers(.video, Self.key)) == [])
    }

    @Test func aWindowBeginsWithThePreRoll() throws {
        let rig = try rig(at: Self.midnight - 30_000, mode: .schedule, preRoll: .seconds(5))
        try rig.settings.plans[0].schedule.add("wed 00:00-00:01")
        rig.start()
        rig.run(seconds: 20)
        #expect(rig.status.streams.first?.state == .buffering)
        rig.run(seconds: 100)
        #expect(rig.status.streams.first?.state == .buffering)
        rig.stop()
        try ArchiveAudit.check(rig)
        let rows = try rig.segments(Self.key)
        let (first, last) = (try #require(rows.first), try #require(rows.last))
        #expect((Self.midnight - 7000...Self.midnight - 5000).contains(first.start))
        #expect((Self.midnight + 59_000...Self.midnight + 61_500).contains(last.end))
        #expect(try days(rig, 11) == [17, 18])
    }

    /// The zone changes its clock while a window is open; the window follows what the clock shows.
    @Test func aWindowFollowsTheClockThatPeopleSee() throws {
        let change: Int64 = 1_774_746_000
        let rig = try rig(at: change * 1000 - 90_000, mode: .schedule)
        rig.calendar = DayCalendar { $0 < change ? 3600 : 7200 }
        // 02:00 to 03:00 is skipped on that Sunday.
        try rig.settings.plans[0].schedule.add("sun 01:59-03:01")
        rig.start()
        rig.run(seconds: 240)
        rig.stop()
        try ArchiveAudit.check(rig)
        let rows = try rig.segments(Self.key)
        #expect(rows.first.map { abs($0.start - (change * 1000 - 60_000)) <= 2000 } ?? false)
        #expect(rows.last.map { abs($0.end - (change * 1000 + 60_000)) <= 2000 } ?? false)
    }

    @Test func aCommandInFrontOfAWindowEndsItsFileThere() throws {
        let rig = try rig(at: Self.midnight - 30_000, mode: .schedule)
        try rig.settings.plans[0].schedule.add("wed 00:00-00:10")
        rig.start()
        rig.run(seconds: 5)
        #expect(try rig.segments(Self.key).isEmpty)
        try rig.engine?.command(Self.key, RecordingCommand(until: nil))
        rig.run(seconds: 50)
        rig.stop()
        try ArchiveAudit.check(rig)
        let rows = try rig.segments(Self.key)
        let kinds = rows.map(\.kind)
        #expect(kinds == kinds.sorted { $0.rawValue > $1.rawValue } && Set(kinds) == [.commanded, .scheduled])
        let numbers = try rig.numbers(.video, Self.key)
        #expect(TestStream.holes(in: numbers, from: numbers.first ?? 0) == [], "and no picture is lost in between")
        #expect(try rig.gaps(Self.key).isEmpty)
    }
}
