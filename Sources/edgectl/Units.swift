/// Numbers with the unit people read them in.
package enum Units {
    package static func bytes(_ count: Int) -> String {
        scaled(Double(count), ["B", "kB", "MB", "GB", "TB"])
    }

    package static func bitrate(_ bitsPerSecond: Int) -> String {
        scaled(Double(bitsPerSecond), ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"])
    }

    private static func scaled(_ value: Double, _ units: [String]) -> String {
        var (value, index) = (value, 0)
        while value.magnitude >= 999.95, index < units.count - 1 {
            value /= 1000
            index += 1
        }
        return index == 0 ? "\(Int(value)) \(units[0])" : "\(decimal(value)) \(units[index])"
    }

    /// One digit after the point.
    package static func decimal(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "?" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    /// The two largest units that matter.
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds.magnitude < 1e12 else { return "?" }
        let whole = max(0, Int(seconds))
        let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        if minutes > 0 { return "\(minutes) min \(whole % 60) s" }
        return "\(whole) s"
    }

    package static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
