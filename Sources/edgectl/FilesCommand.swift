import ArgumentParser
import ControlProtocol
import Glibc

struct FilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "Lists, fetches, protects and deletes recorded files.",
        subcommands: [List.self, Get.self, Protect.self, Delete.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The recorded files of the last day, or of another time.",
            discussion: "Times are local: 2026-11-21, \"2026-11-21 14:05\" or \"2026-11-21 14:05:00\".")

        @OptionGroup var agent: ControlConnection

        @Option(help: ArgumentHelp("Only this channel.", valueName: "id"))
        var channel: Int?

        @Option(help: ArgumentHelp("From this time on. Default: a day before the end.", valueName: "time"))
        var from: String?

        @Option(help: ArgumentHelp("Up to this time. Default: now.", valueName: "time"))
        var to: String?

        @Flag(help: "Of all time; the newest 10000.")
        var all = false

        func validate() throws {
            for text in [from, to] {
                if let text, LocalTime.milliseconds(text) == nil {
                    throw ValidationError("\"\(text)\" is no time such as 2026-11-21 or \"2026-11-21 14:05\".")
                }
            }
            if all, from != nil || to != nil { throw ValidationError("Give --all, or a time.") }
        }

        func run() throws {
            let end = to.flatMap(LocalTime.milliseconds)
            let day: Int64 = 86_400_000
            let now = Int64(time(nil)) * 1000
            let start = all ? 0 : from.flatMap(LocalTime.milliseconds) ?? max((end ?? now) - day, 0)
            var query = "from=\(start)"
            if let end { query += "&to=\(end)" }
            if let channel { query += "&channel=\(channel)" }
            try agent.report([RecordedFileReport].self, "GET", "/api/v1/files?\(query)") { ReportText.files($0) }
        }
    }

    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Copies a recorded file here.")

        @OptionGroup var agent: ControlConnection
        @OptionGroup var file: RecordedFileArgument

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Where to write it; - is standard output. Default: its name, with - for /.", valueName: "file"))
        var output: String?

        private struct Saved: Encodable {
            var file: String
            var bytes: Int
        }

        func run() throws {
            let path = output ?? String(file.name.map { $0 == "/" ? "-" : $0 })
            let target = OutputFile(path)
            let bytes = try agent.download(file.path, to: target)
            guard path != "-" else { return }
            printLine(
                agent.json
                    ? String(decoding: ControlCoding.encode(Saved(file: path, bytes: bytes)), as: UTF8.self)
                    : "Saved \(path), \(Units.bytes(bytes))")
        }
    }

    struct Protect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keeps a recorded file, however old it gets.")

        @OptionGroup var agent: ControlConnection
        @OptionGroup var file: RecordedFileArgument

        @Flag(help: "Let it go with its time again.")
        var off = false

        func run() throws {
            try agent.report(
                RecordedFileReport.self, off ? "DELETE" : "PUT", file.path + "/protection",
                show: { ReportText.files([$0]) })
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a recorded file, a protected one too.")

        @OptionGroup var agent: ControlConnection
        @OptionGroup var file: RecordedFileArgument

        func run() throws {
            try agent.report(
                RecordedFileReport.self, "DELETE", file.path,
                show: { "Deleted \($0.name), \(Units.bytes(Int($0.bytes)))" })
        }
    }
}

/// A recorded file as `files list` names it.
struct RecordedFileArgument: ParsableArguments {
    @Argument(help: "The file's name, as files list shows it.")
    var name: String

    @Option(help: ArgumentHelp("The channel.", valueName: "id"))
    var channel = 0

    func validate() throws {
        let isPlain = name.utf8.allSatisfy { character in
            (48...57).contains(character) || (97...122).contains(character) || "-./".utf8.contains(character)
        }
        guard isPlain, name.split(separator: "/", omittingEmptySubsequences: false).count == 2 else {
            throw ValidationError("\"\(name)\" is no name such as 20261121/140500-main-1f0c39ab.mp4.")
        }
    }

    var path: String { "/api/v1/files/\(channel)/\(name)" }
}
