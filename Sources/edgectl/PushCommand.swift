import ArgumentParser
import ControlProtocol

struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Opens, closes and lists pushes to media services.",
        subcommands: [Open.self, Close.self, List.self])

    struct Open: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pushes a stream to a media service.",
            discussion: """
                Waits until the service has accepted the stream and the first key frame is sent, or says why not. With \
                --async it returns at once, and the agent tries until it succeeds or the push is closed. A push that \
                is there already is joined.
                """)

        @OptionGroup var agent: ControlConnection

        @Argument(
            help: """
                rtmp://, rtmps://, http:// or https://; - reads it from standard input, since others see command lines. \
                Default: push.defaultTarget of the configuration.
                """)
        var target: String?

        @Option(help: ArgumentHelp("The channel.", valueName: "id"))
        var channel = 0

        @Option(help: ArgumentHelp("main or sub.", valueName: "stream"))
        var stream = CodeStream.main

        @Option(help: ArgumentHelp("av, video or audio.", valueName: "tracks"))
        var data = DataType.av

        @Flag(name: .customLong("async"), help: "Return at once, and let the agent try until it succeeds.")
        var isAsync = false

        @Option(
            help: ArgumentHelp(
                "Milliseconds of the first time stamp, to try how a service takes large ones.", valueName: "ms"))
        var startTimestamp: UInt32?

        /// An agent that waits for a service has its own, shorter limits.
        private static let timeoutSeconds = 90

        func run() throws {
            let target = self.target == "-" ? readLine() ?? "" : self.target
            let order = PushOpenRequest(
                channel: channel, codeStream: stream, dataType: data, target: target, async: isAsync,
                startTimestamp: startTimestamp)
            try agent.report(
                PushReport.self, "POST", "/api/v1/pushes", body: ControlCoding.encode(order),
                timeoutSeconds: Self.timeoutSeconds, show: ReportText.push)
        }
    }

    struct Close: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ends pushes.")

        @OptionGroup var agent: ControlConnection

        @Argument(help: "The ids, as push list shows them.")
        var ids: [String] = []

        @Flag(help: "End all pushes.")
        var all = false

        func validate() throws {
            guard all != !ids.isEmpty else { throw ValidationError("Give the ids of pushes, or --all.") }
            for id in ids
            where id.isEmpty || !id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f && $0 != 0x3f }) {
                throw ValidationError("\"\(id)\" is no id of a push.")
            }
        }

        func run() throws {
            var ids = ids
            if all {
                let list = try agent.request("GET", "/api/v1/pushes")
                do {
                    ids = try ControlCoding.decode([PushReport].self, from: list).map(\.id)
                } catch {
                    throw ControlConnection.unavailable(.broken("\(error)"))
                }
                if ids.isEmpty, !agent.json { printLine("No pushes") }
            }
            for id in ids {
                try agent.report(
                    PushReport.self, "DELETE", "/api/v1/pushes/\(id)", show: ReportText.push)
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The pushes there are, and how they do.")

        @OptionGroup var agent: ControlConnection

        func run() throws {
            try agent.report([PushReport].self, "GET", "/api/v1/pushes") { ReportText.pushes($0) }
        }
    }
}
