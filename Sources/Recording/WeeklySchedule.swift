/// When to record: windows that come back each week, in the device's time zone.
package struct WeeklySchedule: Sendable, Hashable {
    /// Minutes since Monday, 00:00. A window that ends before it begins goes on into the next day, or week.
    package struct Window: Sendable, Hashable {
        package let start: Int
        package let end: Int
    }

    package private(set) var windows: [Window] = []

    package init() {}

    package func contains(minuteOfWeek minute: Int) -> Bool {
        windows.contains { window in
            window.start < window.end
                ? (window.start..<window.end).contains(minute) : minute >= window.start || minute < window.end
        }
    }

    /// What is wrong with a text.
    package struct Mistake: Error, Sendable, Hashable {
        package let message: String
    }

    private static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// Adds windows such as `mon-fri 08:00-18:00`, `sat,sun 22:00-06:00` and `daily 00:00-24:00`.
    package mutating func add(_ text: String) throws(Mistake) {
        let parts = text.split(separator: " ")
        guard parts.count == 2 else { throw Mistake(message: "\"\(text)\" is not days and hours") }
        let hours = parts[1].split(separator: "-", omittingEmptySubsequences: false)
        guard hours.count == 2, let from = Self.minutes(hours[0]), let to = Self.minutes(hours[1]), from != to,
            from < 1440
        else { throw Mistake(message: "\"\(parts[1])\" is not two times of a day") }
        let week = DayCalendar.minutesPerWeek
        for day in try Self.days(parts[0]).sorted() {
            let end = day * 1440 + to + (to < from ? 1440 : 0)
            windows.append(Window(start: day * 1440 + from, end: end > week ? end - week : end))
        }
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isNumber) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else { return nil }
        return hour * 60 + minute
    }

    private static func days(_ text: Substring) throws(Mistake) -> Set<Int> {
        if text == "daily" { return Set(0..<7) }
        var days: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { name in
                dayNames.firstIndex { $0 == name }
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2 else {
                throw Mistake(message: "\"\(part)\" is no day, or days, of the week")
            }
            // Over the weekend, such as fri-mon.
            for day in first...(last < first ? last + 7 : last) { days.insert(day % 7) }
        }
        return days
    }
}
