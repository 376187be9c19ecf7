import ArgumentParser
import ControlProtocol
import Glibc

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Packs everything that helps to understand a fault into one archive.",
        discussion: """
            State, findings, events' traces, logs, devices, the network, the configuration without its secrets, and a \
            picture of each channel. Whatever cannot be had is named in bundle.txt. As root, or a member of the groups \
            edge-agent and systemd-journal, it holds most. Look through it before you give it away: pictures show what \
            the cameras see.
            """)

    @OptionGroup var agent: ControlConnection

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it. Default: edge-agent-NAME-TIME.tar.gz.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The configuration that is put in.", valueName: "file"))
    var config = "/etc/edge-agent/edge-agent.yaml"

    @Flag(help: "Leave the channels' pictures out.")
    var noPictures = false

    private struct Packed: Encodable {
        var file: String
        var bytes: Int
        var entries: [String]
        var missing: [String]
    }

    func run() throws {
        let name = "edge-agent-\(Self.hostName())-\(LocalTime.compact(time(nil)))"
        let path = output ?? "\(name).tar.gz"
        var folder = try BundleFolder(name: name)
        defer { folder.remove() }
        fill(&folder)
        folder.finish()
        let ending: ChildProcess.Ending
        do {
            ending = try ChildProcess.run(
                "/usr/bin/tar", ["-czf", path, "-C", folder.parent, name], patienceSeconds: 120
            ) { _ in }
        } catch {
            printError("edgectl: tar: \(error)")
            throw ExitCode(1)
        }
        guard ending.status == 0 else {
            printError("edgectl: \(ending.errors)")
            throw ExitCode(1)
        }
        var info = stat()
        stat(path, &info)
        // Nobody else's, since it shows what the device sees.
        chmod(path, 0o600)
        let packed = Packed(file: path, bytes: Int(info.st_size), entries: folder.entries, missing: folder.missing)
        printLine(
            agent.json
                ? String(decoding: ControlCoding.encode(packed), as: UTF8.self)
                : ReportText.bundle(
                    file: path, bytes: packed.bytes, entries: packed.entries.count, missing: packed.missing))
    }

    private func fill(_ folder: inout BundleFolder) {
        let status = ask("/api/v1/status")
        folder.add("status.json", status)
        for (file, path) in [
            ("peers.json", "/api/v1/peers"), ("metrics.txt", "/api/v1/metrics"),
            ("files.json", "/api/v1/files?limit=1000"),
        ] { folder.add(file, ask(path)) }
        let report = status.flatMap { try? ControlCoding.decode(StatusReport.self, from: $0) }
        for platform in report?.platforms ?? [] {
            folder.add("platform-\(platform.name).json", ask("/api/v1/platforms/\(platform.name)/frames"))
        }
        for channel in report?.channels ?? [] {
            for stream in channel.streams {
                let name = stream.stream.rawValue
                folder.add(
                    "trace-\(channel.channel)-\(name).json",
                    ask("/api/v1/channels/\(channel.channel)/trace?stream=\(name)"))
            }
            if !noPictures, channel.camera.state != .none {
                folder.add("channel-\(channel.channel).jpg", ask("/api/v1/channels/\(channel.channel)/snapshot"))
            }
        }
        for (file, program, arguments) in programs { folder.add(file, program: program, arguments) }
        for path in ["/etc/os-release", "/proc/cpuinfo", "/proc/meminfo", "/proc/mounts", "/proc/asound/cards"] {
            folder.add(path.dropFirst().replacing("/", with: "-") + ".txt", BundleFolder.text(path))
        }
        for crash in BundleFolder.names(in: "/var/lib/edge-agent/crashes") {
            folder.add(crash, BundleFolder.text("/var/lib/edge-agent/crashes/\(crash)"))
        }
    }

    /// Where Debian has them; those that a device lacks are named as missing.
    private var programs: [(String, String, [String])] {
        let own = OwnProgram.folder
        return [
            ("doctor.txt", "\(own)/edgectl", ["doctor", "--socket", agent.socket, "--config", config]),
            ("devices.txt", "\(own)/edge-agent", ["devices"]),
            ("edge-agent.yaml", "\(own)/edge-agent", ["check", "--redacted", "--config", config]),
            ("configuration-mistakes.txt", "\(own)/edge-agent", ["check", "--config", config]),
            (
                "journal.txt", "/usr/bin/journalctl",
                ["-u", "edge-agent", "-n", "5000", "--no-pager", "-o", "short-iso-precise"]
            ),
            ("kernel.txt", "/usr/bin/dmesg", ["--ctime"]),
            ("service.txt", "/usr/bin/systemctl", ["status", "edge-agent", "--no-pager", "-l"]),
            ("update.txt", "\(own)/edgectl", ["update", "--status"]),
            ("addresses.txt", "/usr/bin/ip", ["addr"]),
            ("routes.txt", "/usr/bin/ip", ["route", "show", "table", "all"]),
            ("disks.txt", "/usr/bin/df", ["-h"]), ("usb.txt", "/usr/bin/lsusb", ["-t"]),
            ("uname.txt", "/usr/bin/uname", ["-a"]),
        ]
    }

    /// Nil where the agent does not answer, or not with 200.
    private func ask(_ path: String) -> [UInt8]? {
        guard let answer = try? ControlClient(socket: agent.socket, timeoutSeconds: 20).send(method: "GET", path: path),
            answer.status == 200
        else { return nil }
        return answer.body
    }

    private static func hostName() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "device" }
        let text = withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
}
