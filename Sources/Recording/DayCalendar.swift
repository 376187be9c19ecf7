import Glibc

/// Days and hours as people at the device count them. All instants are milliseconds since 1970, UTC.
package struct DayCalendar: Sendable {
    /// A calendar day.
    package struct Day: Sendable, Hashable, Comparable {
        package let year: Int
        package let month: Int
        package let day: Int

        package init(year: Int, month: Int, day: Int) {
            self.year = year
            self.month = month
            self.day = day
        }

        package static func < (a: Day, b: Day) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }
    }

    package static let minutesPerWeek = 7 * 24 * 60
    private static let secondsPerDay: Int64 = 86_400

    /// Seconds that the device's clock is ahead of UTC at an instant given in seconds since 1970.
    private let offset: @Sendable (Int64) -> Int

    package init(offset: @escaping @Sendable (Int64) -> Int) { self.offset = offset }

    /// The time zone of this device.
    package static let device = DayCalendar { seconds in
        var (seconds, parts) = (time_t(seconds), tm())
        localtime_r(&seconds, &parts)
        return Int(parts.tm_gmtoff)
    }

    /// Looks whether the device was given another time zone meanwhile.
    package static func refreshDevice() { tzset() }

    // MARK: From instants

    /// Seconds since 1970 as if the device's clock showed UTC.
    private func localSeconds(_ milliseconds: Int64) -> Int64 {
        let seconds = Self.floorDivide(milliseconds, 1000)
        return seconds + Int64(offset(seconds))
    }

    package func day(of milliseconds: Int64) -> Day {
        Self.civil(days: Self.floorDivide(localSeconds(milliseconds), Self.secondsPerDay))
    }

    package func timeOfDay(of milliseconds: Int64) -> (hour: Int, minute: Int, second: Int) {
        let local = localSeconds(milliseconds)
        let second = Int(local - Self.floorDivide(local, Self.secondsPerDay) * Self.secondsPerDay)
        return (second / 3600, second / 60 % 60, second % 60)
    }

    /// Minutes since Monday, 00:00.
    package func minuteOfWeek(of milliseconds: Int64) -> Int {
        // The first of January 1970 was a Thursday.
        let minutes = Self.floorDivide(localSeconds(milliseconds), 60) + 3 * 1440
        let week = Int64(Self.minutesPerWeek)
        return Int(minutes - Self.floorDivide(minutes, week) * week)
    }

    // MARK: To instants

    /// The first instant that belongs to a day, which is not midnight everywhere and always.
    package func start(of day: Day) -> Int64 {
        let midnight = Self.days(year: day.year, month: day.month, day: day.day) * Self.secondsPerDay
        // One change of the offset at most lies between these two.
        let offsets = [offset(midnight - Self.secondsPerDay), offset(midnight + Self.secondsPerDay)].map(Int64.init)
        let exact = offsets.map { midnight - $0 }.filter { $0 + Int64(offset($0)) == midnight }
        return (exact.min() ?? firstInstant(after: midnight, offsets: offsets)) * 1000
    }

    /// Midnight is skipped; the day begins where the clock is set forward.
    private func firstInstant(after midnight: Int64, offsets: [Int64]) -> Int64 {
        var low = midnight - (offsets.max() ?? 0)
        var high = midnight - (offsets.min() ?? 0)
        while low < high {
            let middle = low + (high - low) / 2
            if middle + Int64(offset(middle)) >= midnight { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// From a day's first instant up to, but without, the next day's.
    package func range(of day: Day) -> Range<Int64> {
        let next = Self.civil(days: Self.days(year: day.year, month: day.month, day: day.day) + 1)
        let start = start(of: day)
        return start..<max(start, self.start(of: next))
    }

    // MARK: The Gregorian calendar

    package static func dayCount(year: Int, month: Int) -> Int {
        let next = month == 12 ? (year + 1, 1) : (year, month + 1)
        return Int(days(year: next.0, month: next.1, day: 1) - days(year: year, month: month, day: 1))
    }

    /// Days since 1970-01-01. Years begin with March here, so that the leap day is a year's last.
    private static func days(year: Int, month: Int, day: Int) -> Int64 {
        let year = Int64(month <= 2 ? year - 1 : year)
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int64) -> Day {
        let days = days + 719_468
        let era = floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return Day(
            year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int(month),
            day: Int(dayOfYear - (153 * shifted + 2) / 5 + 1))
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }
}
