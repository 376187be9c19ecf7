/// Temperatures, voltages and batteries, as far as the kernel tells (sysfs).
package struct PowerProbe: Sendable, Hashable {
    package struct Zone: Sendable, Hashable {
        package var name: String
        /// Degrees Celsius.
        package var temperature: Double
        /// Where the kernel slows the machine down or switches it off; nil where it does not say.
        package var limit: Double?

        package init(name: String, temperature: Double, limit: Double? = nil) {
            self.name = name
            self.temperature = temperature
            self.limit = limit
        }
    }

    package struct Battery: Sendable, Hashable {
        package var name: String
        package var percent: Int
        package var isDischarging: Bool

        package init(name: String, percent: Int, isDischarging: Bool) {
            self.name = name
            self.percent = percent
            self.isDischarging = isDischarging
        }
    }

    package var zones: [Zone]
    package var batteries: [Battery]
    /// Sensors that say the voltage is, or was, too low.
    package var lowVoltage: [String]

    package init(zones: [Zone] = [], batteries: [Battery] = [], lowVoltage: [String] = []) {
        self.zones = zones
        self.batteries = batteries
        self.lowVoltage = lowVoltage
    }

    /// - Parameter root: where sysfs's classes are; tests have folders of their own.
    package static func run(root: String = "/sys/class") -> PowerProbe {
        PowerProbe(zones: zones(root), batteries: batteries(root), lowVoltage: lowVoltage(root))
    }

    private static func zones(_ root: String) -> [Zone] {
        SmallFile.names(in: "\(root)/thermal").filter { $0.hasPrefix("thermal_zone") }.compactMap { name in
            let folder = "\(root)/thermal/\(name)"
            guard let thousandths = SmallFile.number("\(folder)/temp") else { return nil }
            let limits = (0..<16).compactMap { index -> Int? in
                guard let type = SmallFile.line("\(folder)/trip_point_\(index)_type"),
                    ["passive", "hot", "critical"].contains(type)
                else { return nil }
                return SmallFile.number("\(folder)/trip_point_\(index)_temp").flatMap { $0 > 0 ? $0 : nil }
            }
            return Zone(
                name: SmallFile.line("\(folder)/type") ?? name, temperature: Double(thousandths) / 1000,
                limit: limits.min().map { Double($0) / 1000 })
        }
    }

    private static func batteries(_ root: String) -> [Battery] {
        SmallFile.names(in: "\(root)/power_supply").compactMap { name in
            let folder = "\(root)/power_supply/\(name)"
            guard SmallFile.line("\(folder)/type") == "Battery", let percent = SmallFile.number("\(folder)/capacity")
            else { return nil }
            return Battery(
                name: name, percent: percent, isDischarging: SmallFile.line("\(folder)/status") == "Discharging")
        }
    }

    /// Boards' supplies have an alarm of this name, such as the Raspberry Pi's `rpi_volt`.
    private static func lowVoltage(_ root: String) -> [String] {
        SmallFile.names(in: "\(root)/hwmon").compactMap { name in
            guard SmallFile.number("\(root)/hwmon/\(name)/in0_lcrit_alarm") == 1 else { return nil }
            return SmallFile.line("\(root)/hwmon/\(name)/name") ?? name
        }
    }
}
