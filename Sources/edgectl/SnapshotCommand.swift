import ArgumentParser
import ControlProtocol

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Saves the next picture of a channel as JPEG.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("The channel.", valueName: "id"))
    var channel = 0

    @Option(help: ArgumentHelp("main or sub: the size of the picture.", valueName: "stream"))
    var stream = CodeStream.main

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it; - is standard output. Default: channel-ID.jpg.", valueName: "file"))
    var output: String?

    private struct Saved: Encodable {
        var file: String
        var bytes: Int
    }

    func run() throws {
        let picture = try agent.request(
            "GET", "/api/v1/channels/\(channel)/snapshot?stream=\(stream.rawValue)", timeoutSeconds: 20)
        let path = output ?? "channel-\(channel).jpg"
        try OutputFile(path).write(picture)
        guard path != "-" else { return }
        let saved = Saved(file: path, bytes: picture.count)
        printLine(
            agent.json
                ? String(decoding: ControlCoding.encode(saved), as: UTF8.self)
                : "Saved \(path), \(Units.bytes(picture.count))")
    }
}
