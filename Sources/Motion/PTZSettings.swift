import Media

/// One channel's head, as configured.
package struct PTZSettings: Sendable, Hashable {
    package enum Driver: Sendable, Hashable {
        case simulated(SimulatedDriver.Settings)
        case pelcoD(PelcoDDriver.Settings)
        case stepper(StepperDriver.Settings)
    }

    package var driver: Driver
    package var head: HeadState.Settings

    package init(driver: Driver, head: HeadState.Settings = .init()) {
        self.driver = driver
        self.head = head
    }

    package var driverName: String {
        switch driver {
        case .simulated: "simulated"
        case .pelcoD: "pelco-d"
        case .stepper: "stepper"
        }
    }

    package var abilities: MotorAbilities {
        switch driver {
        case .simulated(let settings): SimulatedDriver.abilities(of: settings)
        case .pelcoD(let settings): PelcoDDriver.abilities(of: settings)
        case .stepper(let settings): StepperDriver.abilities(of: settings)
        }
    }

    /// Where a motor is that was never here before.
    var firstPosition: MotorPosition {
        if case .simulated = driver { MotorPosition(pan: 0, tilt: 0, zoom: 1) } else { MotorPosition() }
    }

    /// Its steps must come on time.
    var isRealTime: Bool { if case .stepper = driver { true } else { false } }

    /// - Parameter position: where the motor was left; nil axes where nobody knows.
    package func makeDriver(at position: MotorPosition) -> any MotorDriver {
        switch driver {
        case .simulated(let settings): SimulatedDriver(settings, position: position)
        case .pelcoD(let settings): PelcoDDriver(settings)
        case .stepper(let settings): StepperDriver(settings, position: position)
        }
    }
}
