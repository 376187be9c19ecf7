import Devices
import Media
import Motion
import Testing

@Suite struct StepperDriverTests {
    private final class Lines: StepperLines {
        var levels: [UInt64] = []
        var closed: DirectionSet = []
        var isClosed = false
        var isBroken = false

        func set(_ levels: UInt64) throws(DeviceError) {
            if isBroken { throw DeviceError(.lost, device: "chip", action: "setting lines", reason: "broken") }
            self.levels.append(levels)
        }

        func closedSwitches() -> DirectionSet { closed }
        func close() { isClosed = true }
    }

    private let lines = Lines()

    private func driver(at position: MotorPosition = .init(pan: 0)) throws -> StepperDriver {
        var settings = StepperDriver.Settings(chip: "chip")
        settings.pan = .init(lines: [1, 2, 3, 4], motor: StepperAxisTests.settings, minimumSwitch: 5)
        let lines = self.lines
        let driver = StepperDriver(settings, position: position) { _ in lines }
        try driver.open(at: .zero)
        return driver
    }

    @Test func everyStepSetsTheLinesOnceAndItsLatenessIsMeasured() throws {
        let driver = try driver()
        try driver.carryOut(.go(MotorPosition(pan: 10)), at: .zero)
        var now = MediaTime.zero
        while driver.reading.isMoving { now = try driver.advance(to: now + .microseconds(30)) ?? now }
        #expect(driver.reading.position.pan == 10)
        // The first level, and one for each of the hundred steps.
        #expect(lines.levels.count == 101)
        #expect(zip(lines.levels, lines.levels.dropFirst()).allSatisfy { ($0 ^ $1).nonzeroBitCount == 1 })
        let jitter = try #require(driver.jitter)
        #expect(jitter.steps == 100)
        #expect((30...35).contains(jitter.p50))
        #expect(jitter.maximum >= jitter.p99)
    }

    @Test func anEndSwitchStopsTheMotorAndTheLinesGoDownAtTheEnd() throws {
        let driver = try driver()
        try driver.carryOut(.move(MotorVelocity([.left], speed: 1)), at: .zero)
        var now = MediaTime.zero
        for _ in 0..<20 { now = try driver.advance(to: now) ?? now }
        lines.closed = [.left]
        _ = try driver.advance(to: now)
        #expect(!driver.reading.isMoving)
        #expect(driver.reading.ends == [.left])
        driver.close()
        #expect(lines.levels.last == 0)
        #expect(lines.isClosed)
    }

    @Test func aSwitchThatIsNeverFoundIsAFault() throws {
        let driver = try driver(at: MotorPosition())
        #expect(driver.reading.position.pan == nil)
        try driver.carryOut(.home, at: .zero)
        var now = MediaTime.zero
        #expect(throws: DeviceError.self) {
            while now < .seconds(100) { now = max(try driver.advance(to: now) ?? now, now + .microseconds(1)) }
        }
    }

    @Test func linesThatAreGoneAreTold() throws {
        let driver = try driver()
        lines.isBroken = true
        #expect(throws: DeviceError.self) { try driver.carryOut(.go(MotorPosition(pan: 10)), at: .zero) }
    }
}
