import Media
import Motion
import TestSupport
import Testing

/// The rule above all, for sequences that nobody thought of: a motor without a living command stops.
@Suite struct RandomSequenceTests {
    /// For each of the eight seeds.
    private static let sequences = 125
    private static let tick = MediaTime.milliseconds(50)

    /// What is known of the living command without asking `HeadState`.
    private struct Oracle {
        var holder: MotionHolder?
        var deadline = MediaTime.zero
        var isPatrol = false

        func allowsMotion(at now: MediaTime) -> Bool { isPatrol || holder != nil && now < deadline }
    }

    private let settings: HeadState.Settings = {
        var settings = HeadState.Settings()
        settings.limits = PTZLimits(minPan: -180, maxPan: 180, minTilt: -45, maxTilt: 90)
        return settings
    }()

    @Test(arguments: 0..<8) func aMotorWithoutALivingCommandIsAtRest(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for _ in 0..<Self.sequences { runSequence(&random) }
    }

    private func runSequence(_ random: inout SplitMix64) {
        let driver = SimulatedDriver(.init(), position: MotorPosition(pan: 0, tilt: 0, zoom: 1))
        var state = HeadState(settings, abilities: SimulatedDriver.abilities(of: .init()))
        var oracle = Oracle()
        var now = MediaTime.zero
        driver.open(at: now)
        settle(&state, driver, now)
        for _ in 0..<40 {
            let holder = MotionHolder(rawValue: UInt64(random.below(3)))
            if random.below(6) == 0 {
                give(state.lost(holder), to: driver, now)
                if oracle.holder == holder { oracle.holder = nil }
            } else {
                perform(Self.command(&random), holder, &state, driver, &oracle, now)
            }
            settle(&state, driver, now)
            check(driver, oracle, now)
            let end = now + .milliseconds(Int64(random.below(3000)))
            while now < end {
                now += Self.tick
                settle(&state, driver, now)
                check(driver, oracle, now)
            }
        }
        give(state.stop(because: .shutdown), to: driver, now)
        #expect(!driver.reading.isMoving)
    }

    private func perform(
        _ command: PTZCommand, _ holder: MotionHolder, _ state: inout HeadState, _ driver: SimulatedDriver,
        _ oracle: inout Oracle, _ now: MediaTime
    ) {
        guard let orders = try? state.perform(command, for: holder, at: now) else { return }
        give(orders, to: driver, now)
        switch command {
        case .press(_, let speed):
            oracle = Oracle(holder: speed > 0 ? holder : nil, deadline: now + settings.timeLimit)
        case .step, .go, .callPreset, .home: oracle = Oracle(holder: holder, deadline: now + settings.travelLimit)
        case .release: oracle = Oracle()
        case .startPatrol: oracle = Oracle(isPatrol: true)
        case .stopPatrol: if oracle.isPatrol { oracle = Oracle() }
        case .renew: oracle.deadline = now + settings.timeLimit
        case .setPreset, .clearPreset, .auxiliary: break
        }
    }

    private static func command(_ random: inout SplitMix64) -> PTZCommand {
        let direction = PTZDirection.allCases[random.below(PTZDirection.allCases.count)]
        switch random.below(18) {
        case 0...6: return .press([direction], speed: Double(random.below(11)) / 10)
        case 7: return .press([.up, .left], speed: 1)
        case 8: return .step(direction)
        case 9: return .go(pan: Double(random.below(400) - 200), tilt: Double(random.below(200) - 100), zoom: nil)
        case 10: return .setPreset(random.below(4))
        case 11: return .callPreset(random.below(4))
        case 12: return random.below(2) == 0 ? .startPatrol(nil) : .stopPatrol
        case 13: return .home
        case 15, 16: return .renew
        case 14: return .clearPreset(random.below(4))
        default: return .release
        }
    }

    private func give(_ orders: [MotorOrder], to driver: SimulatedDriver, _ now: MediaTime) {
        for order in orders { driver.carryOut(order, at: now) }
    }

    /// As the head's thread does it.
    private func settle(_ state: inout HeadState, _ driver: SimulatedDriver, _ now: MediaTime) {
        for _ in 0..<4 {
            _ = driver.advance(to: now)
            let orders = state.observe(driver.reading, at: now) + state.expire(at: now)
            if orders.isEmpty { return }
            give(orders, to: driver, now)
        }
    }

    private func check(_ driver: SimulatedDriver, _ oracle: Oracle, _ now: MediaTime) {
        if driver.reading.isMoving, !oracle.allowsMotion(at: now) { Issue.record("it moves without a command") }
    }
}
