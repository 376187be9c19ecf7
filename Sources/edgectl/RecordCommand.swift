import ArgumentParser
import ControlProtocol

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Records a stream on command.", subcommands: [Start.self, Stop.self])

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records from now on, with the pre-roll that is configured.")

        @OptionGroup var agent: ControlConnection

        @Option(help: ArgumentHelp("The channel.", valueName: "id"))
        var channel = 0

        @Option(help: ArgumentHelp("main or sub.", valueName: "stream"))
        var stream = CodeStream.main

        @Option(help: ArgumentHelp("End after so long. Default: when record stop says so.", valueName: "number"))
        var seconds: Int?

        func validate() throws {
            if let seconds, !(1...RecordOrder.maximumSeconds).contains(seconds) {
                throw ValidationError("--seconds is from 1 to \(RecordOrder.maximumSeconds).")
            }
        }

        func run() throws {
            try agent.report(
                RecordCommandReport.self, "PUT", "/api/v1/channels/\(channel)/recording",
                body: ControlCoding.encode(RecordOrder(stream: stream, seconds: seconds)), show: ReportText.record)
        }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a recording on command. What the configuration has recorded goes on.")

        @OptionGroup var agent: ControlConnection

        @Option(help: ArgumentHelp("The channel.", valueName: "id"))
        var channel = 0

        @Option(help: ArgumentHelp("main or sub.", valueName: "stream"))
        var stream = CodeStream.main

        func run() throws {
            try agent.report(
                RecordCommandReport.self, "DELETE",
                "/api/v1/channels/\(channel)/recording?stream=\(stream.rawValue)", show: ReportText.record)
        }
    }
}
