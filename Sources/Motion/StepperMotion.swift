import Media

/// The motors of a head that turns by steppers: orders and end switches in, levels of lines out.
package struct StepperMotion: Sendable {
    /// The motor that turns, or tilts, the head.
    package enum Axis: Int, Sendable, CaseIterable {
        case pan, tilt

        var minimum: PTZDirection { self == .pan ? .left : .down }
        var maximum: PTZDirection { self == .pan ? .right : .up }
    }

    /// Motors carry current for so long after their last step, until the head has come to rest.
    package static let settleTime = MediaTime.milliseconds(50)

    private struct Motor {
        let name: Axis
        var axis: StepperAxis
        /// When it is let go after its last step.
        var restsAt: MediaTime?
    }

    private var motors: [Motor] = []
    private let holds: Bool
    private var isHoming = false
    private var closed: DirectionSet = []

    /// - Parameters:
    ///   - holds: whether motors carry current at rest, to hold a head that would sink.
    ///   - position: where it was left; nil where nobody knows.
    package init(
        pan: StepperAxis.Settings?, tilt: StepperAxis.Settings?, holds: Bool, position: MotorPosition
    ) {
        self.holds = holds
        if let pan { motors.append(Motor(name: .pan, axis: StepperAxis(pan, degrees: position.pan))) }
        if let tilt { motors.append(Motor(name: .tilt, axis: StepperAxis(tilt, degrees: position.tilt))) }
    }

    // MARK: What it is doing

    package var reading: MotorReading {
        var reading = MotorReading(ends: closed)
        for motor in motors {
            if motor.axis.isAtMinimum { reading.ends.insert(motor.name.minimum) }
            if motor.axis.isAtMaximum { reading.ends.insert(motor.name.maximum) }
            if motor.axis.isMoving { reading.isMoving = true }
            switch motor.name {
            case .pan: reading.position.pan = motor.axis.degrees
            case .tilt: reading.position.tilt = motor.axis.degrees
            }
        }
        return reading
    }

    /// Four lines for each motor: pan in bits 0 to 3, tilt in bits 4 to 7.
    package var levels: UInt64 {
        var levels: UInt64 = 0
        for motor in motors where holds || motor.axis.isMoving || motor.restsAt != nil {
            levels |= motor.axis.levels << UInt64(4 * motor.name.rawValue)
        }
        return levels
    }

    /// When the next step is due.
    package var nextStep: MediaTime? {
        var next: MediaTime?
        for motor in motors { next = Self.earlier(next, motor.axis.nextStep) }
        return next
    }

    /// When `advance` has something to do.
    package var nextEvent: MediaTime? {
        var next = nextStep
        for motor in motors { next = Self.earlier(next, motor.restsAt) }
        return next
    }

    /// An axis looked for its end switch over all its travel, and there was none.
    package var missesSwitch: Bool { motors.contains(where: \.axis.homingFailed) }

    private static func earlier(_ a: MediaTime?, _ b: MediaTime?) -> MediaTime? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    // MARK: What it is to do

    package mutating func carryOut(_ order: MotorOrder, at now: MediaTime) {
        isHoming = false
        for index in motors.indices {
            switch order {
            case .stop: motors[index].axis.stop()
            case .move(let velocity):
                motors[index].axis.run(motors[index].name == .pan ? velocity.pan : velocity.tilt, at: now)
            case .go(let position):
                if let degrees = motors[index].name == .pan ? position.pan : position.tilt {
                    motors[index].axis.go(degrees: degrees, at: now)
                } else {
                    motors[index].axis.stop()
                }
            case .home:
                isHoming = true
                motors[index].axis.home(at: now)
            case .setPreset, .callPreset, .clearPreset, .auxiliary: break
            }
        }
    }

    /// - Parameter closed: the end switches that are closed.
    /// - Returns: how many motors took a step.
    @discardableResult
    package mutating func advance(to now: MediaTime, closed: DirectionSet = []) -> Int {
        self.closed = closed
        var steps = 0
        for index in motors.indices {
            if advance(&motors[index], to: now) { steps += 1 }
        }
        if isHoming, !reading.isMoving { endHoming(at: now) }
        return steps
    }

    private func advance(_ motor: inout Motor, to now: MediaTime) -> Bool {
        let wasMoving = motor.axis.isMoving
        let blocked = (minimum: closed.contains(motor.name.minimum), maximum: closed.contains(motor.name.maximum))
        let hasStepped = motor.axis.advance(to: now, blocked: blocked)
        if motor.axis.isMoving {
            motor.restsAt = nil
        } else if wasMoving {
            motor.restsAt = now + Self.settleTime
        } else if let rest = motor.restsAt, rest <= now {
            motor.restsAt = nil
        }
        return hasStepped
    }

    /// Everything comes to rest with the last step.
    package mutating func halt() {
        isHoming = false
        for index in motors.indices {
            motors[index].axis.halt()
            motors[index].restsAt = nil
        }
    }

    private mutating func endHoming(at now: MediaTime) {
        isHoming = false
        for index in motors.indices where motors[index].axis.isKnown { motors[index].axis.go(degrees: 0, at: now) }
    }
}
