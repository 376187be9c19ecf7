import ArgumentParser
import ControlProtocol

struct FeedbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feedback", abstract: "Sends a message to viewers.",
        discussion: """
            The message is JSON, such as {"iv_private_cmd":"call_answer"}. A visitor that does not listen has it kept for \
            a minute.
            """)

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("Only to this visitor. Default: to all that are there.", valueName: "number"))
    var visitor: Int64?

    @Argument(help: ArgumentHelp("The message.", valueName: "json"))
    var message: String

    func run() throws {
        let receiver = visitor.map { "\"visitor\":\($0)," } ?? ""
        try agent.report(
            FeedbackReport.self, "POST", "/api/v1/feedback", body: Array("{\(receiver)\"message\":\(message)}".utf8)
        ) { report in
            "\(Units.count(report.reached, "visitor")) told, \(Units.count(report.waiting, "visitor")) to be told"
        }
    }
}
