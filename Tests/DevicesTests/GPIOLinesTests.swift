import Devices
import Testing

/// What a machine without a chip can show; the board's tests show the rest.
@Suite struct GPIOLinesTests {
    @Test func aChipThatIsNotThereIsAbsent() {
        do throws(DeviceError) {
            _ = try GPIOLines(chip: "/nonexistent/gpiochip0", lines: [1], use: .outputs(levels: 0), consumer: "test")
            Issue.record("it was opened")
        } catch {
            #expect(error.kind == .absent)
        }
    }

    @Test func aFileThatIsNoChipIsRefused() {
        #expect(throws: DeviceError.self) {
            try GPIOLines(chip: "/dev/null", lines: [1], use: .inputs(.none, activeLow: false), consumer: "test")
        }
    }

    @Test(arguments: [0, 65]) func soManyLinesAreRefused(count: Int) {
        #expect(throws: DeviceError.self) {
            try GPIOLines(
                chip: "/dev/null", lines: (0..<count).map { UInt32($0) }, use: .outputs(levels: 0), consumer: "test")
        }
    }
}
