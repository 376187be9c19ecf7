import ControlProtocol
import Testing
import edgectl

@Suite struct PTZCommandLineTests {
    private func order(_ line: String, speed: Double? = nil, seconds: Double? = nil) throws -> PTZOrder? {
        try PTZCommandLine.order(line.split(separator: " ").map(String.init), speed: speed, seconds: seconds)
    }

    @Test func presses() throws {
        let press = try order("left,up", speed: 0.5, seconds: 3)
        #expect(press?.command == .press)
        #expect(press?.directions == [.left, .up])
        #expect(press?.speed == 0.5)
        #expect(press?.seconds == 3)
        #expect(try order("zoomIn")?.directions == [.zoomIn])
        #expect(try order("step down")?.command == .step)
    }

    @Test func placesAndPresets() throws {
        let go = try order("go -20 .")
        #expect(go?.pan == -20)
        #expect(go?.tilt == nil)
        #expect(try order("go 1 2 3")?.zoom == 3)
        #expect(try order("preset 4")?.command == .callPreset)
        #expect(try order("preset set 4")?.command == .setPreset)
        #expect(try order("preset clear 4")?.number == 4)
        #expect(try order("patrol")?.presets == nil)
        #expect(try order("patrol 1 3 2")?.presets == [1, 3, 2])
        #expect(try order("patrol stop")?.command == .stopPatrol)
        #expect(try order("aux 2 off")?.on == false)
        #expect(try order("home")?.command == .home)
        #expect(try order("stop")?.command == .stop)
    }

    @Test func statusOrdersNothing() throws {
        #expect(try order("") == nil)
        #expect(try order("status") == nil)
    }

    @Test(arguments: [
        "dance", "left up", "left,", "go 1", "go a b", "preset", "preset x", "aux 1 maybe", "step", "stop 1",
    ])
    func otherWordsAreMistakes(line: String) {
        #expect(throws: PTZCommandLine.Mistake.self) { try order(line) }
    }

    @Test func ordersSurviveTheWire() throws {
        for line in ["left,up", "go -20 .", "preset set 4", "patrol 1 2", "aux 2 off", "stop"] {
            let sent = try #require(try order(line))
            #expect(try ControlCoding.decode(PTZOrder.self, from: ControlCoding.encode(sent)) == sent)
        }
    }

    @Test func aHeadIsOneLine() {
        var head = HeadReport(driver: "stepper", pan: 12.04, tilt: -3, moving: false, presets: [1, 4])
        #expect(ReportText.head(head) == "stepper, at rest, pan 12.0° tilt -3.0°, presets 1 4")
        head.pan = nil
        head.tilt = nil
        head.moving = true
        head.jitter = .init(steps: 10, p50: 40, p99: 90, maximum: 120)
        #expect(
            ReportText.head(head) == "stepper, moving, position unknown, presets 1 4, steps late by 40/90/120 µs")
        head.fault = "the line is gone"
        #expect(ReportText.head(head).hasPrefix("stepper, away: the line is gone"))
    }
}
