import ArgumentParser
import ControlProtocol

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Where the time of a stream's pictures goes, stage by stage.",
        discussion: "Of the last 256 pictures, which are made while somebody watches, records or pushes the stream.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("The channel.", valueName: "id"))
    var channel = 0

    @Option(help: ArgumentHelp("main or sub.", valueName: "stream"))
    var stream = CodeStream.main

    func run() throws {
        try agent.report(
            [StageReport].self, "GET", "/api/v1/channels/\(channel)/trace?stream=\(stream.rawValue)",
            show: ReportText.stages)
    }
}
