/// A time as the protocol writes it: YY MM DD hh mm ss in BCD, UTC+8. All zeros stand for no time.
package struct JT808Time: Sendable, Hashable, CustomStringConvertible {
    /// Six bytes.
    package let raw: [UInt8]

    package static let none = JT808Time(raw: [UInt8](repeating: 0, count: 6))
    /// Of the protocol's time zone, in milliseconds.
    package static let offset: Int64 = 8 * 3600 * 1000

    package init(raw: [UInt8]) { self.raw = raw }

    package var isNone: Bool { raw.allSatisfy { $0 == 0 } }
    package var description: String { BCD.digits(raw) }

    /// From milliseconds since 1970, UTC; rounded down. Years outside 2000 to 2099 are their nearest end.
    package init(milliseconds: Int64, offset: Int64 = Self.offset) {
        let limits = Self.milliseconds(2000, 1, 1)...(Self.milliseconds(2100, 1, 1) - 1)
        let local = min(max(milliseconds + offset, limits.lowerBound), limits.upperBound)
        let seconds = local / 1000
        let (day, second) = (seconds / 86400, seconds % 86400)
        let (year, month, date) = Self.date(day)
        let fields = [Int64(year - 2000), Int64(month), Int64(date), second / 3600, second / 60 % 60, second % 60]
        raw = fields.map { UInt8($0 / 10 * 16 + $0 % 10) }
    }

    /// Milliseconds since 1970, UTC. Nil where the digits are no time.
    package func milliseconds(offset: Int64 = Self.offset) -> Int64? {
        var fields: [Int64] = []
        for byte in raw {
            guard byte >> 4 < 10, byte & 15 < 10 else { return nil }
            fields.append(Int64(byte >> 4) * 10 + Int64(byte & 15))
        }
        guard fields.count == 6, (1...12).contains(fields[1]), (1...31).contains(fields[2]), fields[3] < 24,
            fields[4] < 60, fields[5] < 61
        else { return nil }
        let day = Self.milliseconds(2000 + fields[0], fields[1], fields[2])
        return day + ((fields[3] * 60 + fields[4]) * 60 + fields[5]) * 1000 - offset
    }

    // MARK: The Gregorian calendar, counted from 1 March of year 0

    private static func milliseconds(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return (year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468) * 86_400_000
    }

    private static func date(_ daysSince1970: Int64) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (Int(year), Int(month), Int(dayOfYear - (153 * shifted + 2) / 5 + 1))
    }
}
