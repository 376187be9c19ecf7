import Recording
import Testing

@Suite struct DayCalendarTests {
    private typealias Day = DayCalendar.Day
    private let utc = DayCalendar { _ in 0 }

    /// Central Europe in 2026: an hour ahead, two from 29 March 01:00 UTC to 25 October 01:00 UTC.
    private let berlin = DayCalendar { (1_774_746_000..<1_792_890_000).contains($0) ? 7200 : 3600 }

    private static let hour: Int64 = 3_600_000

    @Test func daysAreThoseOfTheZone() {
        #expect(utc.day(of: 0) == Day(year: 1970, month: 1, day: 1))
        #expect(utc.day(of: -1) == Day(year: 1969, month: 12, day: 31))
        #expect(utc.start(of: Day(year: 2000, month: 2, day: 29)) == 951_782_400_000)
        #expect(utc.day(of: 951_782_400_000) == Day(year: 2000, month: 2, day: 29))
        // 2026-11-20 23:30 UTC is the next day an hour further east.
        #expect(berlin.day(of: 1_795_217_400_000) == Day(year: 2026, month: 11, day: 21))
        #expect(berlin.timeOfDay(of: 1_795_217_400_000) == (0, 30, 0))
    }

    @Test func daysThatChangeTheirClockAreShorterAndLonger() {
        let spring = berlin.range(of: Day(year: 2026, month: 3, day: 29))
        #expect(spring.upperBound - spring.lowerBound == 23 * Self.hour)
        let autumn = berlin.range(of: Day(year: 2026, month: 10, day: 25))
        #expect(autumn.upperBound - autumn.lowerBound == 25 * Self.hour)
    }

    @Test func aSkippedMidnightBeginsTheDayLater() {
        // At 00:00 the clock goes to 01:00.
        let midnight: Int64 = 1_791_000_000 / 86_400 * 86_400
        let zone = DayCalendar { $0 < midnight ? 0 : 3600 }
        let day = zone.day(of: midnight * 1000)
        #expect(zone.start(of: day) == midnight * 1000)
        #expect(zone.timeOfDay(of: midnight * 1000).hour == 1)
    }

    @Test func everyDayBeginsWhereTheOneBeforeEnds() {
        for calendar in [utc, berlin] {
            for month in 1...12 {
                for day in 1..<DayCalendar.dayCount(year: 2026, month: month) {
                    let range = calendar.range(of: Day(year: 2026, month: month, day: day))
                    #expect(range.upperBound == calendar.start(of: Day(year: 2026, month: month, day: day + 1)))
                    #expect(calendar.day(of: range.lowerBound) == Day(year: 2026, month: month, day: day))
                    #expect(calendar.day(of: range.upperBound - 1) == Day(year: 2026, month: month, day: day))
                }
            }
        }
        #expect(DayCalendar.dayCount(year: 2028, month: 2) == 29)
        #expect(DayCalendar.dayCount(year: 2100, month: 2) == 28)
    }

    @Test func weeksBeginOnMonday() {
        // 1970-01-05 was a Monday.
        #expect(utc.minuteOfWeek(of: 4 * 24 * Self.hour) == 0)
        #expect(utc.minuteOfWeek(of: 4 * 24 * Self.hour - 1) == DayCalendar.minutesPerWeek - 1)
        #expect(utc.minuteOfWeek(of: 0) == 3 * 1440)
    }
}
