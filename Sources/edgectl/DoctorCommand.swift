import ArgumentParser
import ControlProtocol
import Diagnostics

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks for what is wrong with this device, and says what to do about it.",
        discussion: """
            It looks for some seconds: at cameras, sound, encoders, disks, the network and the services that the \
            configuration names, the clock, motors, and at temperature and power where the kernel tells. Where the agent \
            does not answer, it says why, and looks at what can be seen without it.

            Exit status: 0 all is well, 1 something has failed, 2 there are warnings only.
            """)

    @OptionGroup var agent: ControlConnection

    @Argument(
        help: ArgumentHelp(
            "What to look at: \(FindingReport.Area.allCases.map(\.rawValue).joined(separator: ", ")). Default: all of it.",
            valueName: "area"))
    var areas: [FindingReport.Area] = []

    @Option(help: ArgumentHelp("The configuration that is checked.", valueName: "file"))
    var config = "/etc/edge-agent/edge-agent.yaml"

    @Flag(name: .shortAndLong, help: "Without what is well.")
    var quiet = false

    func run() throws {
        let wanted = Set(areas.isEmpty ? FindingReport.Area.allCases : areas)
        var found = wanted.contains(.agent) ? ServiceExamination(config: config, socket: agent.socket).findings() : []
        found += try examination(wanted)
        found = FindingReport.Area.allCases.flatMap { area in found.filter { $0.area == area } }
        printLine(
            agent.json
                ? String(decoding: ControlCoding.encode(found), as: UTF8.self)
                : ReportText.findings(quiet ? found.filter { $0.verdict != .ok } : found))
        switch found.map(\.verdict).max() ?? .ok {
        case .ok: break
        case .warning: throw ExitCode(2)
        case .failure: throw ExitCode(1)
        }
    }

    private func examination(_ wanted: Set<FindingReport.Area>) throws -> [FindingReport] {
        let names = wanted.map(\.rawValue).sorted().joined(separator: ",")
        let response: ControlClient.Response
        do {
            response = try ControlClient(socket: agent.socket, timeoutSeconds: 120)
                .send(method: "GET", path: "/api/v1/doctor?area=\(names)")
        } catch {
            return [ServiceExamination.noAnswer(error, socket: agent.socket)] + withoutAgent(wanted)
        }
        try agent.check(response, "GET", "/api/v1/doctor")
        guard let found = try? ControlCoding.decode([FindingReport].self, from: response.body) else {
            throw ControlConnection.unavailable(.broken("do edgectl and edge-agent have the same version?"))
        }
        return found
    }

    /// What this program sees by itself.
    private func withoutAgent(_ wanted: Set<FindingReport.Area>) -> [FindingReport] {
        var found: [FindingReport] = []
        if wanted.contains(.network) { found += NetworkDiagnosis.findings(NetworkProbe.run()) }
        if wanted.contains(.clock) { found += ClockDiagnosis.findings(ServiceExamination.clock()) }
        if wanted.contains(.power) { found += PowerDiagnosis.findings(PowerProbe.run()) }
        return found
    }
}

extension FindingReport.Area: ExpressibleByArgument {}
