import CLinux
import ControlProtocol
import Diagnostics
import Glibc

/// Looks at the agent from outside: its service, its socket, its configuration.
struct ServiceExamination {
    let config: String
    let socket: String

    func findings() -> [FindingReport] { service() + configuration() }

    // MARK: The service

    /// Nothing where systemd does not run, or another agent is meant than the service's.
    private func service() -> [FindingReport] {
        guard socket == ControlClient.defaultSocket, access("/run/systemd/system", F_OK) == 0 else { return [] }
        var values: [String: String] = [:]
        let ending = try? ChildProcess.run(
            "/usr/bin/systemctl",
            ["show", "edge-agent", "-p", "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus"],
            patienceSeconds: 10
        ) { line in
            guard let equals = line.firstIndex(of: "=") else { return }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        guard ending?.status == 0, values["LoadState"] == "loaded" else { return [] }
        return Self.findings(values)
    }

    static func findings(_ values: [String: String]) -> [FindingReport] {
        let state = values["ActiveState"] ?? ""
        let restarts = values["NRestarts"].flatMap { Int($0) } ?? 0
        guard state == "active" || state == "reloading" else {
            let result = values["Result"] ?? ""
            let status = values["ExecMainStatus"] ?? "0"
            return [
                FindingReport(
                    .agent, "notRunning", .failure,
                    "the service is \(state)"
                        + (result == "success" || result.isEmpty ? "" : " (\(result), exit status \(status))"),
                    advice: status == "78"
                        ? "Its configuration has mistakes: edge-agent check names them; then systemctl restart edge-agent"
                        : "systemctl start edge-agent; journalctl -u edge-agent -n 50 says why it ended")
            ]
        }
        guard restarts >= 3 else { return [] }
        return [
            FindingReport(
                .agent, "restarts", .warning, "the service manager has started it anew \(restarts) times",
                advice: "journalctl -u edge-agent -p warning says why; `edgectl bundle` keeps it for the maker")
        ]
    }

    // MARK: Its socket

    static func noAnswer(_ failure: ControlClient.Failure, socket: String) -> FindingReport {
        if access(socket, F_OK) != 0, errno == ENOENT {
            return FindingReport(
                .agent, "noAnswer", .failure, subject: socket, "there is no such socket: the agent does not run",
                advice: "systemctl start edge-agent; journalctl -u edge-agent -n 50 says why it ended")
        }
        if access(socket, R_OK | W_OK) != 0 {
            return FindingReport(
                .agent, "notAllowed", .failure, subject: socket, "this user may not speak to the agent",
                advice: "Be root, or a member of the group edge-agent: adduser NAME edge-agent, then log in again")
        }
        return FindingReport(
            .agent, "noAnswer", .failure, subject: socket, "\(failure)",
            advice: "It may be starting, or stuck: systemctl status edge-agent; systemctl restart edge-agent")
    }

    // MARK: Its configuration

    /// By the agent's own program, beside this one. Nothing where the file is not there or not for this user.
    private func configuration() -> [FindingReport] {
        guard access(config, R_OK) == 0, let program = Self.agentProgram() else { return [] }
        guard
            let ending = try? ChildProcess.run(
                program, ["check", "--config", config], patienceSeconds: 10, line: { _ in }),
            ending.status == 1
        else { return [] }
        let mistakes = ending.errors.split(separator: "\n")
        return [
            FindingReport(
                .agent, "configuration", .failure, subject: config,
                mistakes.prefix(3).joined(separator: "; ")
                    + (mistakes.count > 3 ? "; and \(mistakes.count - 3) more" : ""),
                advice:
                    "edge-agent check --config \(config) shows all; with them the agent does not start, and takes over no change"
            )
        ]
    }

    private static func agentProgram() -> String? {
        let program = OwnProgram.folder + "/edge-agent"
        return access(program, X_OK) == 0 ? program : nil
    }

    // MARK: The clock

    static func clock() -> ClockDiagnosis.Facts {
        var program = stat()
        let made = stat("/proc/self/exe", &program) == 0 ? program.st_mtim.tv_sec : 0
        return .init(now: time(nil), programMade: made, isSynchronised: clinux_clock_is_synchronised())
    }
}
