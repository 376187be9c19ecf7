import Devices
import Media
import Motion

/// Reads how a channel's head turns.
enum ChannelPTZ {
    private enum Kind { case none, simulated, pelcoD, stepper }

    /// Half steps a degree beyond which no gear is.
    private static let stepsPerDegree = 0.1...10_000.0
    /// The kernel can set one line of a chip after the other a few thousand times a second.
    private static let rates = 1.0...5000.0

    /// Nil where the channel has none.
    static func read(_ section: SectionReader) -> PTZSettings? {
        let kind =
            section.choice(
                "driver", [("none", Kind.none), ("simulated", .simulated), ("pelco-d", .pelcoD), ("stepper", .stepper)])
            ?? .none
        var head = HeadState.Settings()
        head.timeLimit = seconds(section, "timeLimit", 0.5...30) ?? head.timeLimit
        head.travelLimit = seconds(section, "travelLimit", 1...600) ?? head.travelLimit
        head.dwell = seconds(section, "dwell", 1...3600) ?? head.dwell
        head.stepDegrees = section.number("step", 0.01...90) ?? head.stepDegrees
        let limits = section.section("limits") { readLimits($0) }
        let serial = section.section("serial") { readSerial($0, isUsed: kind == .pelcoD) }
        let stepper = section.section("stepper") { readStepper($0, isUsed: kind == .stepper, limits) }
        switch kind {
        case .none: return nil
        case .simulated:
            var settings = SimulatedDriver.Settings()
            settings.limits = limits ?? settings.limits
            head.limits = settings.limits
            return PTZSettings(driver: .simulated(settings), head: head)
        case .pelcoD:
            head.limits = limits
            return PTZSettings(driver: .pelcoD(serial), head: head)
        case .stepper:
            head.limits = stepper.limits
            return PTZSettings(driver: .stepper(stepper), head: head)
        }
    }

    private static func seconds(_ section: SectionReader, _ key: String, _ range: ClosedRange<Double>) -> MediaTime? {
        section.number(key, range).map { .milliseconds(Int64(($0 * 1000).rounded())) }
    }

    /// Without what makes it one, the rest of a driver's group means nothing.
    private static func refuse(_ section: SectionReader, _ key: String, unless isUsed: Bool, _ driver: String) {
        guard !isUsed, let node = section.node(key) else { return }
        section.mistake(
            at: node, "\(section.path).\(key) is only for driver: \(driver)",
            hint: "write driver: \(driver), or remove it")
    }

    /// Nil where none of the four is given.
    private static func readLimits(_ section: SectionReader) -> PTZLimits? {
        let pan = range(section, "minPan", "maxPan", -360...360, whole: -180...180)
        let tilt = range(section, "minTilt", "maxTilt", -180...180, whole: -90...90)
        guard pan != nil || tilt != nil else { return nil }
        let (panRange, tiltRange) = (pan ?? -180...180, tilt ?? -90...90)
        return PTZLimits(
            minPan: panRange.lowerBound, maxPan: panRange.upperBound, minTilt: tiltRange.lowerBound,
            maxTilt: tiltRange.upperBound)
    }

    private static func range(
        _ section: SectionReader, _ lowKey: String, _ highKey: String, _ allowed: ClosedRange<Double>,
        whole: ClosedRange<Double>
    ) -> ClosedRange<Double>? {
        let (low, high) = (section.number(lowKey, allowed), section.number(highKey, allowed))
        guard low != nil || high != nil else { return nil }
        let (minimum, maximum) = (low ?? whole.lowerBound, high ?? whole.upperBound)
        guard minimum < maximum else {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position, "\(section.path).\(lowKey) must be below \(section.path).\(highKey)"))
            return nil
        }
        return minimum...maximum
    }

    // MARK: Pelco-D

    private static func readSerial(_ section: SectionReader, isUsed: Bool) -> PelcoDDriver.Settings {
        let device = section.absolutePath("device")
        refuse(section, "device", unless: isUsed, "pelco-d")
        if isUsed { section.require("device", isThere: device != nil, "a path such as /dev/serial/by-path/…") }
        var settings = PelcoDDriver.Settings(device: device ?? "")
        settings.baudRate = section.choice("baud", SerialPort.baudRates.map { ("\($0)", $0) }) ?? settings.baudRate
        settings.address = section.integer("address", 1...255).map { UInt8($0) } ?? settings.address
        settings.answersQueries = section.bool("answersQueries") ?? false
        settings.goesToPositions = section.bool("goesToPositions") ?? false
        settings.usesTurbo = section.bool("turbo") ?? false
        settings.travelTime = seconds(section, "travelTime", 1...120) ?? settings.travelTime
        return settings
    }

    // MARK: Steppers

    private static func readStepper(
        _ section: SectionReader, isUsed: Bool, _ limits: PTZLimits?
    ) -> StepperDriver.Settings {
        var settings = StepperDriver.Settings(chip: section.absolutePath("chip") ?? "/dev/gpiochip0")
        settings.holds = section.bool("holds") ?? false
        settings.switchBias =
            section.choice("switchBias", [("none", .none), ("pullUp", .pullUp), ("pullDown", .pullDown)]) ?? .pullUp
        settings.switchesAreActiveLow = section.bool("switchesActiveLow") ?? true
        settings.pan = section.section("pan") { axis($0, limits.map { $0.minPan...$0.maxPan }, isUsed) }
        settings.tilt = section.section("tilt") { axis($0, limits.map { $0.minTilt...$0.maxTilt }, isUsed) }
        guard isUsed else { return settings }
        if settings.pan == nil, settings.tilt == nil {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position, "\(section.path) has no motor", hint: "give pan or tilt its lines"))
        }
        let lines = [settings.pan, settings.tilt].compactMap { $0 }
            .flatMap { $0.lines + [$0.minimumSwitch, $0.maximumSwitch].compactMap { $0 } }
        if Set(lines).count < lines.count {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position, "\(section.path) uses a line twice", hint: "each has one purpose"))
        }
        return settings
    }

    /// Nil where the motor has no lines.
    private static func axis(
        _ section: SectionReader, _ range: ClosedRange<Double>?, _ isUsed: Bool
    ) -> StepperDriver.Axis? {
        refuse(section, "lines", unless: isUsed, "stepper")
        let lines = section.integers("lines", 0...4095, count: 4)?.map { UInt32($0) }
        let minimumSwitch = section.integer("minimumSwitch", 0...4095).map { UInt32($0) }
        let maximumSwitch = section.integer("maximumSwitch", 0...4095).map { UInt32($0) }
        let homing = section.choice("homing", StepperAxis.Homing.allCases.map { ($0.rawValue, $0) })
        let motor = StepperAxis.Settings(
            stepsPerDegree: section.number("stepsPerDegree", stepsPerDegree) ?? 4096.0 / 360,
            startRate: section.number("startRate", rates) ?? 200,
            maximumRate: section.number("maximumRate", rates) ?? 800,
            acceleration: section.number("acceleration", 1...1_000_000) ?? 2000, range: range ?? -180...180,
            homing: homing ?? (minimumSwitch == nil ? .none : .switch))
        guard let lines else {
            if let node = section.node("minimumSwitch") ?? section.node("maximumSwitch") {
                section.mistake(at: node, "\(section.path) has a switch and no motor", hint: "give it its lines")
            }
            return nil
        }
        if isUsed { check(motor, section, hasRange: range != nil, hasSwitch: minimumSwitch != nil) }
        return StepperDriver.Axis(
            lines: lines, motor: motor, minimumSwitch: minimumSwitch, maximumSwitch: maximumSwitch)
    }

    private static func check(
        _ motor: StepperAxis.Settings, _ section: SectionReader, hasRange: Bool, hasSwitch: Bool
    ) {
        func mistake(_ text: String, _ hint: String) {
            section.notes.add(ConfigurationMistake(at: section.position, "\(section.path) \(text)", hint: hint))
        }
        if !hasRange { mistake("turns without limits", "give ptz.limits what the head can bear") }
        if motor.homing == .switch, !hasSwitch { mistake("homes by a switch it does not have", "give minimumSwitch") }
        if motor.maximumRate < motor.startRate { mistake("has a maximumRate below its startRate", "raise it") }
        if motor.brakingSeconds > StepperAxis.Settings.longestBraking {
            mistake(
                "takes longer than \(StepperAxis.Settings.longestBraking) s to stop",
                "raise acceleration, or lower maximumRate")
        }
    }
}

extension PTZSettings {
    /// The device whose other end is the head.
    var serialLine: String? { if case .pelcoD(let settings) = driver { settings.device } else { nil } }
}
