import ArgumentParser
import ControlProtocol
import Devices
import Glibc

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "What this machine has: cameras and their formats, microphones, speakers, serial ports, GPIO chips.")

    @Flag(help: "Print it as JSON.")
    var json = false

    func run() {
        let inventory = DeviceInventory.current()
        StandardStreams.print(
            json ? String(decoding: ControlCoding.encode(inventory, pretty: true), as: UTF8.self) : inventory.text)
    }
}

/// What `edge-agent devices` finds.
struct DeviceInventory: Encodable, Sendable {
    struct Camera: Encodable, Sendable {
        struct Format: Encodable, Sendable {
            var fourCC: String
            var description: String
            /// Made of another format by libv4l2.
            var converted: Bool
            var modes: [Mode]
        }

        struct Mode: Encodable, Sendable {
            var size: String
            var frameRates: [Double]
        }

        var device: String
        var stablePath: String?
        var name: String
        var bus: String
        var driver: String
        var formats: [Format]
    }

    struct Sound: Encodable, Sendable {
        var device: String
        var name: String

        init(_ found: SoundDevice) {
            device = found.device
            name = found.name
        }
    }

    var cameras: [Camera]
    var microphones: [Sound]
    var speakers: [Sound]
    var serialPorts: [String]
    var gpioChips: [String]

    static func current() -> DeviceInventory {
        let cameras = CameraDiscovery.cameras().map { camera in
            Camera(
                device: camera.path, stablePath: camera.stablePath, name: camera.name, bus: camera.bus,
                driver: camera.driver,
                formats: camera.formats.map { format in
                    Camera.Format(
                        fourCC: format.fourCC.description, description: format.description,
                        converted: format.isEmulated,
                        modes: format.modes.map { .init(size: "\($0.size)", frameRates: $0.rates) })
                })
        }
        let names = namesInDev()
        return DeviceInventory(
            cameras: cameras,
            microphones: SoundDiscovery.microphones().map(Sound.init),
            speakers: SoundDiscovery.speakers().map(Sound.init),
            serialPorts: names.filter(isSerialPort).map { "/dev/\($0)" },
            gpioChips: names.filter { isNumbered($0, after: "gpiochip") }.map { "/dev/\($0)" })
    }

    private static func namesInDev() -> [String] {
        guard let handle = opendir("/dev") else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }

    /// Of USB adapters, of modems, and of the boards' own controllers. PC kernels make ttyS nodes for ports that are
    /// not there, so those must have a driver that knows their type.
    private static func isSerialPort(_ name: String) -> Bool {
        if isNumbered(name, after: "ttyS") { return serialType(name) != 0 }
        return ["ttyUSB", "ttyACM", "ttyAMA", "ttymxc", "ttyO", "ttyPS", "ttySC", "ttyGS", "ttyHS", "ttyTHS", "ttymv"]
            .contains { isNumbered(name, after: $0) }
    }

    private static func isNumbered(_ name: String, after prefix: String) -> Bool {
        name.hasPrefix(prefix) && name.utf8.count > prefix.utf8.count
            && name.utf8.dropFirst(prefix.utf8.count).allSatisfy { (48...57).contains($0) }
    }

    /// The kernel's PORT_… number, 0 where there is no chip.
    private static func serialType(_ name: String) -> Int {
        let file = open("/sys/class/tty/\(name)/type", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(file, &bytes, bytes.count)
        return Int(String(decoding: bytes[..<max(0, count)].prefix { $0 != 10 }, as: UTF8.self)) ?? 0
    }

    // MARK: For people

    var text: String {
        [
            section("Cameras", cameras.map(Self.describe)),
            section("Microphones", microphones.map(Self.describe)), section("Speakers", speakers.map(Self.describe)),
            section("Serial ports", serialPorts.map { "  \($0)" }), section("GPIO chips", gpioChips.map { "  \($0)" }),
        ].joined(separator: "\n\n")
    }

    private func section(_ title: String, _ lines: [String]) -> String {
        lines.isEmpty ? "\(title): none" : "\(title)\n" + lines.joined(separator: "\n")
    }

    private static func describe(_ sound: Sound) -> String { "  \(sound.device)  \(sound.name)" }

    private static func describe(_ camera: Camera) -> String {
        var lines = ["  \(camera.device)  \(camera.name) (\(camera.driver), \(camera.bus))"]
        if let path = camera.stablePath { lines.append("    device: \(path)") }
        if camera.formats.isEmpty { lines.append("    gives no pictures") }
        for format in camera.formats {
            lines.append("    \(format.fourCC)  \(format.description)\(format.converted ? ", converted" : "")")
            for mode in format.modes {
                let rates = mode.frameRates.map { rate in
                    let hundredths = Int((rate * 100).rounded())
                    return hundredths % 100 == 0 ? "\(hundredths / 100)" : "\(Double(hundredths) / 100)"
                }
                lines.append("      \(mode.size)" + (rates.isEmpty ? "" : "  \(rates.joined(separator: ", "))/s"))
            }
        }
        return lines.joined(separator: "\n")
    }
}
