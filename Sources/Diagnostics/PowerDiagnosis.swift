import ControlProtocol

/// Judges temperature and power.
package enum PowerDiagnosis {
    /// Degrees Celsius, where the kernel names no limit of its own.
    static let hot = 80.0
    /// So near to the limit is too near.
    static let margin = 5.0
    /// Percent.
    static let leastBattery = 15

    package static func findings(_ probe: PowerProbe) -> [FindingReport] {
        var found: [FindingReport] = []
        for zone in probe.zones where zone.temperature >= (zone.limit.map { $0 - margin } ?? hot) {
            found.append(
                FindingReport(
                    .power, "hot", zone.temperature >= (zone.limit ?? .infinity) ? .failure : .warning,
                    subject: zone.name,
                    "\(DeviceDiagnosis.decimal(zone.temperature)) °C"
                        + (zone.limit.map { ", slows down or stops at \(DeviceDiagnosis.decimal($0)) °C" } ?? ""),
                    advice: "Sun, no air, or too much to do: shade it, or lower the streams' frame rates and sizes"))
        }
        found += probe.lowVoltage.map {
            FindingReport(
                .power, "lowVoltage", .failure, subject: $0, "the supply's voltage is, or was, too low",
                advice: "A stronger supply, a shorter or thicker cable; devices on USB take their share")
        }
        for battery in probe.batteries where battery.isDischarging && battery.percent < leastBattery {
            found.append(
                FindingReport(
                    .power, "batteryLow", .warning, subject: battery.name,
                    "\(battery.percent) % left and no charge coming",
                    advice: "See to the supply, or the solar panel"))
        }
        guard found.isEmpty else { return found }
        guard let warmest = probe.zones.max(by: { $0.temperature < $1.temperature }) else { return [] }
        return [.ok(.power, subject: warmest.name, "\(DeviceDiagnosis.decimal(warmest.temperature)) °C")]
    }
}
