import ArgumentParser
import ControlProtocol
import Glibc

struct UpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Installs a new system on this device, or tells what became of the last one.",
        discussion: """
            The file is a signed bundle for this board. It goes into the system partition that is not running and \
            is tried at the next restart. Only when the agent has been healthy for a while is it confirmed; else \
            the system before it takes over again by itself. Configuration and recordings stay. The installation \
            goes on when this command is interrupted.
            """)

    @Argument(help: ArgumentHelp("The bundle, such as update.raucb.", valueName: "file"))
    var file: String?

    @Flag(help: "Restart as soon as it is installed.")
    var reboot = false

    @Flag(help: "Tell which system runs, whether it is confirmed, and what became of the last update.")
    var status = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        guard status != (file != nil) else { throw ValidationError("Give the file of an update, or --status.") }
        guard !(status && reboot) else { throw ValidationError("--reboot goes with the file of an update.") }
    }

    func run() throws {
        do throws(UpdateFailure) {
            if let file { try install(file) } else { try show(report()) }
        } catch {
            if json {
                let report = ErrorReport(code: error.code, message: "\(error)")
                printError(String(decoding: ControlCoding.encode(report), as: UTF8.self))
            } else {
                printError("edgectl: \(error)")
            }
            throw ExitCode(error.exitStatus)
        }
    }

    private var engine: UpdateEngine { UpdateEngine() }

    private func report() throws(UpdateFailure) -> UpdateReport {
        guard let report = UpdateReport(try engine.status(), release: .ofThisMachine()) else { throw .notFromSlot }
        return report
    }

    private func show(_ report: UpdateReport) {
        printLine(json ? String(decoding: ControlCoding.encode(report), as: UTF8.self) : ReportText.update(report))
    }

    private func install(_ file: String) throws(UpdateFailure) {
        guard geteuid() == 0 else { throw .notRoot }
        let path = try Self.readableFile(file)
        let before = try report()
        let bundle = try engine.inspect(path)
        try before.check(bundle)
        if !json { printLine(ReportText.updatePlan(before, bundle: bundle)) }

        var progress = ProgressLine(isShown: !json)
        do {
            try engine.install(path) { progress.show(percent: $0) }
        } catch {
            progress.end()
            throw error
        }
        progress.end()
        if json { show(try report()) } else { printLine(ReportText.updateDone(before, restarts: reboot)) }
        if reboot { try Self.restart() }
    }

    /// Its path from the root, as the update engine works in a folder of its own.
    private static func readableFile(_ path: String) throws(UpdateFailure) -> String {
        var information = stat()
        guard let resolved = realpath(path, nil) else { throw .file(path: path, reason: reason(errno)) }
        defer { free(resolved) }
        guard stat(resolved, &information) == 0, access(resolved, R_OK) == 0 else {
            throw .file(path: path, reason: reason(errno))
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, reason: "this is no file") }
        return String(cString: resolved)
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func restart() throws(UpdateFailure) {
        do throws(ChildProcess.Failure) {
            let ending = try ChildProcess.run("/usr/bin/systemctl", ["reboot"], patienceSeconds: 60) { _ in }
            if ending.status != 0 { throw .broken(ending.errors) }
        } catch {
            throw .restart("\(error)")
        }
    }
}

extension UpdateReport {
    /// What must hold before anything is written.
    package func check(_ bundle: RAUCBundle) throws(UpdateFailure) {
        if let board, board != bundle.compatible { throw .otherBoard(expected: board, found: bundle.compatible) }
        guard confirmed else { throw .notConfirmed(running) }
    }
}
