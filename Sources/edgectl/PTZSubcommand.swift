import ArgumentParser
import ControlProtocol

struct PTZSubcommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ptz", abstract: "Turns a channel's head.",
        discussion: """
            Orders:
              left, right, up, down, zoomIn, zoomOut, focusNear, focusFar, irisOpen, irisClose
                                  moves as long as this command runs; several are joined by commas: left,up
              stop                stops whatever moves, whoever moves it
              step DIRECTION      a little
              go PAN TILT [ZOOM]  to a position in degrees, right and up positive; a dot for what stays
              home                finds the position, and goes to 0
              preset N            to a preset; preset set N, preset clear N
              patrol [N ...]      between these presets, or all; patrol stop
              aux N on|off        switches an auxiliary output
              status              where it looks and what it does; without an order too
            """)

    @OptionGroup var agent: ControlConnection

    @Argument(help: ArgumentHelp("The channel.", valueName: "channel"))
    var channel: Int

    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The order.", valueName: "order"))
    var order: [String] = []

    @Option(help: ArgumentHelp("How fast to move: above 0, up to 1.", valueName: "part"))
    var speed: Double?

    @Option(help: ArgumentHelp("End the motion after so long; else Ctrl-C does.", valueName: "number"))
    var seconds: Double?

    func validate() throws {
        if let seconds, !(0...PTZOrder.maximumSeconds).contains(seconds) {
            throw ValidationError("--seconds is at most \(Int(PTZOrder.maximumSeconds)).")
        }
        if let speed, !(speed > 0 && speed <= 1) { throw ValidationError("--speed is above 0 and at most 1.") }
        _ = try parsed()
    }

    private func parsed() throws -> PTZOrder? {
        do throws(PTZCommandLine.Mistake) {
            return try PTZCommandLine.order(order, speed: speed, seconds: seconds)
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// A press ends with this process, however that ends: the agent notices that the connection is gone.
    func run() throws {
        let path = "/api/v1/channels/\(channel)/ptz"
        guard let order = try parsed() else {
            return try agent.report(HeadReport.self, "GET", path, show: ReportText.head)
        }
        try agent.report(
            HeadReport.self, "POST", path, body: ControlCoding.encode(order),
            timeoutSeconds: Int(PTZOrder.maximumSeconds) + 10, show: ReportText.head)
    }
}
