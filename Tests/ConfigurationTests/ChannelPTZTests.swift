import Configuration
import Media
import Motion
import Testing

@Suite struct ChannelPTZTests {
    private func read(_ ptz: String) throws -> PTZSettings? {
        let lines = ptz.split(separator: "\n").map { "      \($0)\n" }.joined()
        return try ConfigurationReader.read(Array("channels:\n  - ptz:\n\(lines)".utf8)).heads[0]
    }

    private func mistakes(_ ptz: String) -> [String] {
        do {
            _ = try read(ptz)
            return []
        } catch {
            return (error as? ConfigurationMistakes)?.mistakes.map(\.message) ?? []
        }
    }

    @Test func nothingTurnsUnlessItIsSaid() throws {
        #expect(ConfigurationReader.defaults.heads == [:])
        #expect(try read("timeLimit: 3") == nil)
    }

    @Test func aHeadOnASerialLine() throws {
        let head = try #require(
            try read(
                """
                driver: pelco-d
                timeLimit: 2.5
                dwell: 4
                limits: {minPan: -90, maxPan: 90}
                serial: {device: /dev/serial/by-path/x, baud: 9600, address: 3, turbo: true}
                """))
        guard case .pelcoD(let settings) = head.driver else {
            Issue.record("another driver")
            return
        }
        #expect(settings.device == "/dev/serial/by-path/x")
        #expect(settings.baudRate == 9600)
        #expect(settings.address == 3)
        #expect(settings.usesTurbo)
        #expect(head.head.timeLimit == .milliseconds(2500))
        #expect(head.head.dwell == .seconds(4))
        #expect(head.head.limits == PTZLimits(minPan: -90, maxPan: 90, minTilt: -90, maxTilt: 90))
    }

    @Test func steppers() throws {
        let head = try #require(
            try read(
                """
                driver: stepper
                limits: {minPan: -170, maxPan: 170, minTilt: -30, maxTilt: 60}
                stepper:
                  chip: /dev/gpiochip1
                  pan: {lines: [17, 27, 22, 23], minimumSwitch: 5}
                  tilt: {lines: [1, 2, 3, 4], homing: stop, maximumRate: 400}
                """))
        guard case .stepper(let settings) = head.driver else {
            Issue.record("another driver")
            return
        }
        #expect(settings.chip == "/dev/gpiochip1")
        #expect(settings.pan?.lines == [17, 27, 22, 23])
        #expect(settings.pan?.motor.homing == .switch)
        #expect(settings.pan?.motor.range == -170...170)
        #expect(settings.tilt?.motor.homing == .stop)
        #expect(settings.tilt?.motor.maximumRate == 400)
        #expect(head.head.limits == settings.limits)
    }

    @Test func mistakesAreTold() {
        #expect(mistakes("driver: pelco-d") == ["channels[0].ptz.serial.device is missing"])
        #expect(
            mistakes("driver: simulated\nserial: {device: /dev/ttyS0}")
                == ["channels[0].ptz.serial.device is only for driver: pelco-d"])
        #expect(
            mistakes("driver: simulated\nlimits: {minPan: 10, maxPan: -10}")
                == ["channels[0].ptz.limits.minPan must be below channels[0].ptz.limits.maxPan"])
        #expect(mistakes("driver: stepper") == ["channels[0].ptz.stepper has no motor"])
        #expect(
            mistakes("driver: stepper\nstepper: {pan: {lines: [1, 2, 3, 4]}}")
                == ["channels[0].ptz.stepper.pan turns without limits"])
        let limits = "driver: stepper\nlimits: {minPan: -90, maxPan: 90}\nstepper: "
        #expect(
            mistakes(limits + "{pan: {lines: [1, 2, 3, 4], minimumSwitch: 4}}")
                == ["channels[0].ptz.stepper uses a line twice"])
        #expect(
            mistakes(limits + "{pan: {lines: [1, 2, 3, 4], homing: switch}}")
                == ["channels[0].ptz.stepper.pan homes by a switch it does not have"])
        #expect(
            mistakes(limits + "{pan: {lines: [1, 2, 3, 4], acceleration: 100}}")
                == ["channels[0].ptz.stepper.pan takes longer than 0.5 s to stop"])
        #expect(mistakes(limits + "{pan: {lines: [1, 2, 3]}}").count == 2)
        #expect(mistakes(limits + "{pan: {lines: [1, 2, 3, 3]}}").count == 2)
    }

    @Test func aSerialLineServesOneHead() {
        let head = "{driver: pelco-d, serial: {device: /dev/ttyS1}}"
        #expect(throws: ConfigurationMistakes.self) {
            try ConfigurationReader.read(Array("channels:\n  - ptz: \(head)\n  - ptz: \(head)\n".utf8))
        }
    }
}
