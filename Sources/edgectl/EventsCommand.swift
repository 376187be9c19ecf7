import ArgumentParser
import ControlProtocol

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What happens, as it happens: one line for each event, until interrupted.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("Stop after so many events.", valueName: "number"))
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1.") }
    }

    func run() throws {
        var left = count ?? .max
        do {
            try ControlClient(socket: agent.socket).events { event in
                if agent.json {
                    printLine(event.data)
                } else if let report = try? ControlCoding.decode(EventReport.self, from: event.data.utf8) {
                    printLine(ReportText.event(report))
                } else {
                    printLine(event.event)
                }
                left -= 1
                return left > 0
            }
        } catch {
            throw ControlConnection.unavailable(error)
        }
        if left > 0 { printError("edgectl: the agent has ended") }
    }
}
