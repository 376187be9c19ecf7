import ArgumentParser
import ControlProtocol

struct TalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "talk", abstract: "Plays a file through the device's speaker, as if a viewer were talking.",
        discussion: """
            The file is a WAV (16-bit PCM), an FLV with AAC sound, or raw 16-bit PCM, mono. It is sent as fast as it is \
            heard. While somebody else talks, it is refused.
            """)

    @OptionGroup var agent: ControlConnection

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Samples a second of raw PCM, 8000 to 48000.", valueName: "number"))
    var rate = 8000

    func validate() throws {
        guard (8000...48000).contains(rate) else { throw ValidationError("--rate is from 8000 to 48000.") }
    }

    func run() throws {
        let source: TalkFile
        do {
            source = try TalkFile(path: file, pcmRate: rate)
        } catch {
            printError("edgectl: \(error)")
            throw ExitCode(1)
        }
        var pace = TalkPace()
        let response: ControlClient.Response
        do {
            response = try ControlClient(socket: agent.socket).upload(path: "/api/v1/talk?rate=\(source.rate)") {
                guard let piece = source.next() else { return nil }
                pace.wait(until: piece.milliseconds)
                return piece.bytes
            }
        } catch {
            throw ControlConnection.unavailable(error)
        }
        try agent.check(response, "POST", "/api/v1/talk")
        guard !agent.json else { return printLine(String(decoding: response.body, as: UTF8.self)) }
        do {
            let report = try ControlCoding.decode(TalkEndReport.self, from: response.body)
            printLine(ReportText.talkEnd(report))
            if report.cause != "finished" { throw ExitCode(1) }
        } catch let error as ControlCodingError {
            throw ControlConnection.unavailable(.broken("\(error); do edgectl and edge-agent have the same version?"))
        }
    }
}
