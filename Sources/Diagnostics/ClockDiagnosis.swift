import ControlProtocol

/// Judges the wall clock, by which recordings are found and certificates are believed.
package enum ClockDiagnosis {
    package struct Facts: Sendable {
        /// Seconds since 1970.
        package var now: Int
        /// A time that is over for certain: the program was made before it ran.
        package var programMade: Int
        /// The end of the newest footage; nil without any.
        package var newestFootage: Int?
        /// A time service has set it; nil where that cannot be told.
        package var isSynchronised: Bool?

        package init(now: Int, programMade: Int, newestFootage: Int? = nil, isSynchronised: Bool? = nil) {
            self.now = now
            self.programMade = programMade
            self.newestFootage = newestFootage
            self.isSynchronised = isSynchronised
        }
    }

    /// 2025-01-01: no build of the agent is older.
    static let earliest = 1_735_689_600
    /// Time zones and clocks of build machines aside.
    static let tolerance = 86_400
    /// Footage that is further ahead was recorded before the clock was set back.
    static let mostAhead = 120

    package static func findings(_ facts: Facts) -> [FindingReport] {
        let advice = """
            Set it (timedatectl set-time), and see that a time server is reachable (timedatectl timesync-status); a \
            device without a battery for its clock forgets the time with each power cut
            """
        if facts.now + tolerance < max(facts.programMade, earliest) {
            return [
                FindingReport(
                    .clock, "past", .failure,
                    "the clock says \(date(facts.now)), which is before this program was made",
                    advice: advice + ". Until then recordings have wrong times and TLS refuses every certificate")
            ]
        }
        if let newest = facts.newestFootage, newest > facts.now + mostAhead {
            return [
                FindingReport(
                    .clock, "behindFootage", .warning,
                    "the clock says \(date(facts.now)), and footage goes on until \(date(newest))",
                    advice: "It was set back, or was wrong before. " + advice)
            ]
        }
        if facts.isSynchronised == false {
            return [
                FindingReport(
                    .clock, "notSynchronised", .warning, "no time server has set the clock (\(date(facts.now)))",
                    advice:
                        "Is NTP (UDP port 123) let through? `timedatectl timesync-status` says which server is asked")
            ]
        }
        return [.ok(.clock, date(facts.now) + (facts.isSynchronised == true ? ", synchronised" : ""))]
    }

    /// UTC, after Hinnant's days_from_civil.
    static func date(_ seconds: Int) -> String {
        let days = seconds.quotientAndFlooredRemainder(86_400)
        let shifted = days.quotient + 719_468
        let era = shifted.quotientAndFlooredRemainder(146_097)
        let day = era.remainder
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let monthNumber = month < 10 ? month + 3 : month - 9
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let time = days.remainder
        return "\(year + era.quotient * 400 + (monthNumber <= 2 ? 1 : 0))-\(two(monthNumber))"
            + "-\(two(dayOfYear - (153 * month + 2) / 5 + 1)) \(two(time / 3600)):\(two(time / 60 % 60)) UTC"
    }
}

extension Int {
    fileprivate func quotientAndFlooredRemainder(_ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
