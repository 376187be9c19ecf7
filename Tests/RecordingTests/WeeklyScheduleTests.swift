import Recording
import Testing

@Suite struct WeeklyScheduleTests {
    private func schedule(_ texts: String...) throws -> WeeklySchedule {
        var schedule = WeeklySchedule()
        for text in texts { try schedule.add(text) }
        return schedule
    }

    private func minute(_ day: Int, _ hour: Int, _ minute: Int = 0) -> Int { day * 1440 + hour * 60 + minute }

    @Test func windowsAreHalfOpen() throws {
        let schedule = try schedule("mon-fri 08:00-18:00")
        #expect(!schedule.contains(minuteOfWeek: minute(0, 7, 59)))
        #expect(schedule.contains(minuteOfWeek: minute(0, 8)))
        #expect(schedule.contains(minuteOfWeek: minute(4, 17, 59)))
        #expect(!schedule.contains(minuteOfWeek: minute(4, 18)))
        #expect(!schedule.contains(minuteOfWeek: minute(5, 12)))
    }

    @Test func nightsGoOverMidnightAndOverTheWeek() throws {
        let schedule = try schedule("sat,sun 22:00-06:00")
        #expect(schedule.contains(minuteOfWeek: minute(5, 23)))
        #expect(schedule.contains(minuteOfWeek: minute(6, 5, 59)))
        #expect(!schedule.contains(minuteOfWeek: minute(6, 6)))
        #expect(schedule.contains(minuteOfWeek: minute(0, 0)))
        #expect(!schedule.contains(minuteOfWeek: minute(0, 6)))
    }

    @Test func wholeDaysAndWholeWeeks() throws {
        let all = try schedule("daily 00:00-24:00")
        #expect((0..<DayCalendar.minutesPerWeek).allSatisfy { all.contains(minuteOfWeek: $0) })
        let weekend = try schedule("fri-mon 00:00-24:00")
        #expect(weekend.contains(minuteOfWeek: minute(0, 23, 59)))
        #expect(!weekend.contains(minuteOfWeek: minute(1, 0)))
    }

    @Test(arguments: [
        "", "mon", "mon 8-18", "mon 08:00", "mon 08:00-08:00", "mon 24:00-02:00", "mon 08:60-09:00", "moon 08:00-09:00",
        "mon- 08:00-09:00", "mon-tue-wed 08:00-09:00", "mon 08:00-25:00", "mon 08:00-09:00 x", "mon +8:00-09:00",
    ])
    func mistakesAreRefused(_ text: String) {
        #expect(throws: WeeklySchedule.Mistake.self) { try schedule(text) }
    }
}
