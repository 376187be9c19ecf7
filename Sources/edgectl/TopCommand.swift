import ArgumentParser
import ControlProtocol
import Glibc

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "The agent at work, live: channels, viewers, pushes, recordings, memory, processor.",
        discussion: "q ends it. Where the output is no terminal, one picture after the other is printed.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("From one look to the next.", valueName: "number"))
    var seconds = 1

    @Option(help: ArgumentHelp("Ends after so many looks; 0 is never.", valueName: "number"))
    var count = 0

    func validate() throws {
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is 1 to 3600.") }
        guard count >= 0 else { throw ValidationError("--count is 0 or more.") }
    }

    func run() throws {
        let screen = TerminalScreen()
        defer { screen.leave() }
        var last: TopView.Look?
        var looks = 0
        while true {
            let body: [UInt8]
            do {
                body = try agent.request("GET", "/api/v1/status")
            } catch {
                // The message belongs on the screen that stays.
                screen.leave()
                throw error
            }
            if agent.json {
                printLine(String(decoding: body, as: UTF8.self))
            } else {
                guard let status = try? ControlCoding.decode(StatusReport.self, from: body) else {
                    screen.leave()
                    throw ControlConnection.unavailable(.broken("do edgectl and edge-agent have the same version?"))
                }
                let look = TopView.Look(status, at: TerminalScreen.now())
                screen.show(TopView.text(look, since: last))
                last = look
            }
            looks += 1
            guard count == 0 || looks < count, screen.wait(seconds: seconds) else { return }
        }
    }
}
