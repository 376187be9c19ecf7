import Devices
import Media
import TestSupport
import Testing

@Suite struct SerialPortTests {
    private var soon: MediaTime { SystemMediaClock().now() + .seconds(5) }

    @Test func bytesGoThroughUnchangedBothWays() throws {
        let line = try PseudoTerminal()
        let port = try SerialPort(path: line.path, baudRate: 9600)
        // All values: no character is one for the terminal.
        let all = (0...255).map { UInt8($0) }
        try port.write(all, by: soon)
        #expect(line.read(256) == all)
        line.write(all)
        var got: [UInt8] = []
        let end = soon
        while got.count < 256, SystemMediaClock().now() < end { got += try port.read(maximum: 100) }
        #expect(got == all)
        #expect(try port.read(maximum: 100) == [])
    }

    @Test(arguments: SerialPort.baudRates) func everyRateCanBeSet(rate: Int) throws {
        let line = try PseudoTerminal()
        _ = try SerialPort(path: line.path, baudRate: rate)
    }

    @Test func otherRatesAndOtherFilesAreRefused() throws {
        let line = try PseudoTerminal()
        #expect(throws: DeviceError.self) { try SerialPort(path: line.path, baudRate: 2401) }
        #expect(throws: DeviceError.self) { try SerialPort(path: "/dev/null", baudRate: 2400) }
        do throws(DeviceError) {
            _ = try SerialPort(path: "/nonexistent/tty", baudRate: 2400)
            Issue.record("it was opened")
        } catch {
            #expect(error.kind == .absent)
        }
    }

    @Test func aLineThatTakesNothingDoesNotHoldTheWriterUp() throws {
        let line = try PseudoTerminal()
        let port = try SerialPort(path: line.path, baudRate: 9600)
        do throws(DeviceError) {
            try port.write([UInt8](repeating: 0, count: 1 << 20), by: SystemMediaClock().now() + .milliseconds(50))
            Issue.record("a megabyte went into a line that nobody reads")
        } catch {
            #expect(error.kind == .lost)
        }
        port.close(by: SystemMediaClock().now() + .milliseconds(50))
        withExtendedLifetime(line) {}
    }

    @Test func aLineThatIsPulledOutIsLost() throws {
        let line = try PseudoTerminal()
        let port = try SerialPort(path: line.path, baudRate: 9600)
        line.unplug()
        for attempt in [{ _ = try port.read(maximum: 10) }, { try port.write([1], by: self.soon) }] {
            do {
                try attempt()
                Issue.record("a line that is gone")
            } catch {
                #expect((error as? DeviceError)?.kind == .lost)
            }
        }
    }
}
