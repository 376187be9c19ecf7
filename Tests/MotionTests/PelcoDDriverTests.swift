import Devices
import Media
import Motion
import Testing

@Suite struct PelcoDDriverTests {
    /// Remembers what was written, and answers as it is told.
    private final class Line: SerialLine {
        var written: [[UInt8]] = []
        var waiting: [UInt8] = []
        var unsent = 0
        var discards = 0
        var isClosed = false
        var isBroken = false

        func write(_ bytes: [UInt8], by deadline: MediaTime) throws(DeviceError) {
            if isBroken { throw DeviceError(.lost, device: "line", action: "writing", reason: "broken") }
            for start in stride(from: 0, to: bytes.count, by: 7) { written.append(Array(bytes[start..<start + 7])) }
        }

        func read(maximum: Int) -> [UInt8] {
            defer { waiting = [] }
            return waiting
        }

        func discardUnsent() { discards += 1 }
        func close(by deadline: MediaTime) { isClosed = true }

        func take() -> [[UInt8]] {
            defer { written = [] }
            return written
        }
    }

    private let line = Line()
    private let stop = PelcoD.stop(1).bytes
    private let velocity = MotorVelocity([.left], speed: 1)

    private func driver(_ change: (inout PelcoDDriver.Settings) -> Void = { _ in }) throws -> PelcoDDriver {
        var settings = PelcoDDriver.Settings(device: "line")
        change(&settings)
        let line = self.line
        let driver = PelcoDDriver(settings) { _ in line }
        try driver.open(at: .zero)
        return driver
    }

    /// Until `end`, whenever the driver wants to.
    private func run(_ driver: PelcoDDriver, from start: MediaTime, to end: MediaTime) throws {
        var now = start
        while now <= end { now = max(try driver.advance(to: now) ?? end, now + .milliseconds(1)) }
    }

    @Test func stopsWhenTheLineIsOpenedAndRepeatsIt() throws {
        let driver = try driver()
        try run(driver, from: .zero, to: .seconds(2))
        #expect(line.take() == [stop, stop, stop])
        #expect(!driver.reading.isMoving)
    }

    @Test func aMotionIsKeptAliveAndItsStopRepeated() throws {
        let driver = try driver()
        try run(driver, from: .zero, to: .seconds(1))
        _ = line.take()
        try driver.carryOut(.move(velocity), at: .seconds(1))
        try run(driver, from: .seconds(1), to: .milliseconds(2100))
        let move = PelcoD.move(1, velocity).bytes
        #expect(line.take() == [move, move, move])
        #expect(driver.reading.isMoving)
        try driver.carryOut(.stop, at: .seconds(3))
        try run(driver, from: .seconds(3), to: .seconds(5))
        #expect(line.take() == [PelcoD.creep(1, velocity).bytes, stop, stop, stop])
    }

    @Test func aNewMotionEndsTheRepeatsOfAStop() throws {
        let driver = try driver()
        try driver.carryOut(.move(velocity), at: .zero)
        try run(driver, from: .zero, to: .milliseconds(400))
        #expect(line.take() == [stop, PelcoD.move(1, velocity).bytes])
    }

    @Test func onASlowLineTheNewestMotionIsSent() throws {
        let driver = try driver()
        _ = line.take()
        line.unsent = 100
        for speed in [0.2, 0.4, 0.6] { try driver.carryOut(.move(MotorVelocity([.left], speed: speed)), at: .zero) }
        try run(driver, from: .zero, to: .milliseconds(100))
        #expect(line.take() == [])
        line.unsent = 0
        try run(driver, from: .milliseconds(100), to: .milliseconds(200))
        #expect(line.take() == [PelcoD.move(1, MotorVelocity([.left], speed: 0.6)).bytes])
        // A stop overtakes it.
        #expect(line.discards == 0)
        line.unsent = 100
        try driver.carryOut(.stop, at: .milliseconds(200))
        #expect(line.discards == 1)
        #expect(line.take().last == stop)
    }

    @Test func theLastWordIsAlwaysAStop() throws {
        let driver = try driver()
        try driver.carryOut(.move(velocity), at: .zero)
        driver.close()
        #expect(line.take().suffix(3) == [stop, stop, stop])
        #expect(line.isClosed)
        driver.close()
        #expect(line.take() == [])
    }

    @Test func aWayToAPresetEndsByItself() throws {
        let driver = try driver()
        _ = line.take()
        try driver.carryOut(.move(velocity), at: .zero)
        try driver.carryOut(.callPreset(4), at: .seconds(1))
        #expect(line.take() == [PelcoD.move(1, velocity).bytes, stop, PelcoD.callPreset(1, 4).bytes])
        #expect(driver.reading.isMoving)
        try run(driver, from: .seconds(1), to: .seconds(10))
        #expect(!driver.reading.isMoving)
    }

    @Test func asksForThePositionAndBelievesItForAWhile() throws {
        let driver = try driver { $0.answersQueries = true }
        try run(driver, from: .zero, to: .milliseconds(800))
        let asked = line.take()
        #expect(asked.contains(PelcoD.query(1, .pan).bytes))
        #expect(asked.contains(PelcoD.query(1, .tilt).bytes))
        #expect(driver.reading.position == MotorPosition())
        line.waiting = [0xFF, 1, 0, 0x59, 0x23, 0x28, 0xA5, 0xFF, 1, 0, 0x5B, 0x0B, 0xB8, 0x1F]
        _ = try driver.advance(to: .seconds(1))
        #expect(driver.reading.position == MotorPosition(pan: 90, tilt: -30))
        try run(driver, from: .seconds(1), to: .seconds(4))
        #expect(driver.reading.position == MotorPosition())
    }

    @Test func aBrokenLineIsTold() throws {
        let driver = try driver()
        line.isBroken = true
        #expect(throws: DeviceError.self) { try driver.carryOut(.move(velocity), at: .zero) }
        driver.close()
        #expect(line.isClosed)
    }
}
