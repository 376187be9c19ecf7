import Devices
import Media

/// A head that turns by stepper motors on GPIO lines. When the process ends in any way, the kernel takes the lines back
/// and no further step is taken.
package final class StepperDriver: MotorDriver {
    package struct Axis: Sendable, Hashable {
        /// Four lines, in the order in which they turn the motor right or up.
        package var lines: [UInt32]
        package var motor: StepperAxis.Settings
        package var minimumSwitch: UInt32?
        package var maximumSwitch: UInt32?

        package init(
            lines: [UInt32], motor: StepperAxis.Settings, minimumSwitch: UInt32? = nil, maximumSwitch: UInt32? = nil
        ) {
            self.lines = lines
            self.motor = motor
            self.minimumSwitch = minimumSwitch
            self.maximumSwitch = maximumSwitch
        }
    }

    package struct Settings: Sendable, Hashable {
        /// Such as /dev/gpiochip0.
        package var chip: String
        package var pan: Axis?
        package var tilt: Axis?
        package var holds = false
        package var switchBias = GPIOLines.Bias.pullUp
        /// Whether a closed switch pulls its line down.
        package var switchesAreActiveLow = true

        package init(chip: String) { self.chip = chip }

        fileprivate var hasSwitches: Bool {
            [pan, tilt].contains { $0?.minimumSwitch != nil || $0?.maximumSwitch != nil }
        }

        /// What the motors' ranges are together.
        package var limits: PTZLimits {
            PTZLimits(
                minPan: pan?.motor.range.lowerBound ?? 0, maxPan: pan?.motor.range.upperBound ?? 0,
                minTilt: tilt?.motor.range.lowerBound ?? 0, maxTilt: tilt?.motor.range.upperBound ?? 0)
        }
    }

    package static func abilities(of settings: Settings) -> MotorAbilities {
        var abilities = MotorAbilities(directions: [])
        if settings.pan != nil { abilities.directions.formUnion([.left, .right]) }
        if settings.tilt != nil { abilities.directions.formUnion([.up, .down]) }
        abilities.goesToPan = settings.pan != nil
        abilities.goesToTilt = settings.tilt != nil
        abilities.needsPosition = true
        abilities.homes = [settings.pan, settings.tilt].contains { $0.map { $0.motor.homing != .none } ?? false }
        return abilities
    }

    private let settings: Settings
    private let openLines: (Settings) throws(DeviceError) -> any StepperLines
    private var lines: (any StepperLines)?
    private var motion: StepperMotion
    private var levels: UInt64 = 0
    private var meter = JitterMeter()
    /// Somebody may turn a head at rest by hand.
    private var nextLook: MediaTime?
    private static let switchInterval = MediaTime.milliseconds(200)

    /// - Parameter position: where it was left; nil axes where nobody knows.
    package init(
        _ settings: Settings, position: MotorPosition,
        openLines: @escaping (Settings) throws(DeviceError) -> any StepperLines = { settings throws(DeviceError) in
            try GPIOStepperLines(settings)
        }
    ) {
        self.settings = settings
        self.openLines = openLines
        motion = StepperMotion(
            pan: settings.pan?.motor, tilt: settings.tilt?.motor, holds: settings.holds, position: position)
    }

    package var reading: MotorReading { motion.reading }
    package var jitter: StepJitter? { meter.summary }

    package func open(at now: MediaTime) throws(DeviceError) {
        lines = try openLines(settings)
        levels = 0
        try show()
        try lookAtSwitches(now)
    }

    package func carryOut(_ order: MotorOrder, at now: MediaTime) throws(DeviceError) {
        motion.carryOut(order, at: now)
        try show()
    }

    package func advance(to now: MediaTime) throws(DeviceError) -> MediaTime? {
        if let due = motion.nextEvent, due <= now {
            if let step = motion.nextStep, step <= now { meter.add(now - step) }
            try lookAtSwitches(now)
            try show()
        } else if let look = nextLook, look <= now {
            try lookAtSwitches(now)
        }
        if motion.missesSwitch {
            throw DeviceError(
                .unsupported, device: settings.chip, action: "going home",
                reason: "no end switch closed over the whole travel; are its line and polarity right?")
        }
        return [motion.nextEvent, nextLook].compactMap { $0 }.min()
    }

    package func close() {
        motion.halt()
        // Some chips keep the level of a line that was given back, and a coil would go on heating.
        try? lines?.set(0)
        lines?.close()
        lines = nil
    }

    private func lookAtSwitches(_ now: MediaTime) throws(DeviceError) {
        motion.advance(to: now, closed: try lines?.closedSwitches() ?? [])
        if settings.hasSwitches { nextLook = now + Self.switchInterval }
    }

    private func show() throws(DeviceError) {
        guard motion.levels != levels else { return }
        levels = motion.levels
        try lines?.set(levels)
    }
}

/// What the driver needs of GPIO lines.
package protocol StepperLines: AnyObject {
    /// As `StepperMotion.levels`.
    func set(_ levels: UInt64) throws(DeviceError)
    func closedSwitches() throws(DeviceError) -> DirectionSet
    func close()
}

/// The coils of up to two motors, and up to four end switches, on one chip.
package final class GPIOStepperLines: StepperLines {
    private let coils: GPIOLines
    private let switches: GPIOLines?
    /// Which end each line of `switches` stands for.
    private let ends: [PTZDirection]
    /// Without a motor that pans, the lines begin with those that tilt.
    private let shift: UInt64

    package init(_ settings: StepperDriver.Settings) throws(DeviceError) {
        let axes = [settings.pan, settings.tilt].compactMap { $0 }
        coils = try GPIOLines(
            chip: settings.chip, lines: axes.flatMap(\.lines), use: .outputs(levels: 0), consumer: "edge-agent motor")
        shift = settings.pan == nil ? 4 : 0
        let places: [(PTZDirection, UInt32?)] = [
            (.left, settings.pan?.minimumSwitch), (.right, settings.pan?.maximumSwitch),
            (.down, settings.tilt?.minimumSwitch), (.up, settings.tilt?.maximumSwitch),
        ]
        let used = places.compactMap { end, line in line.map { (end, $0) } }
        ends = used.map(\.0)
        switches =
            used.isEmpty
            ? nil
            : try GPIOLines(
                chip: settings.chip, lines: used.map(\.1),
                use: .inputs(settings.switchBias, activeLow: settings.switchesAreActiveLow),
                consumer: "edge-agent end switch")
    }

    package func set(_ levels: UInt64) throws(DeviceError) { try coils.set(levels >> shift) }

    package func closedSwitches() throws(DeviceError) -> DirectionSet {
        guard let levels = try switches?.read(), levels != 0 else { return [] }
        var closed: DirectionSet = []
        for (line, end) in ends.enumerated() where levels >> UInt64(line) & 1 == 1 { closed.insert(end) }
        return closed
    }

    package func close() {
        coils.close()
        switches?.close()
    }
}
