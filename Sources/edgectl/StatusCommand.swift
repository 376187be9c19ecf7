import ArgumentParser
import ControlProtocol

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "The agent, its channels, viewers and pushes.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report(StatusReport.self, "GET", "/api/v1/status", show: ReportText.status)
    }
}

struct ChannelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channels", abstract: "The channels with their devices and streams.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report([ChannelReport].self, "GET", "/api/v1/channels", show: ReportText.channels)
    }
}

struct ViewersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "viewers", abstract: "Who is watching.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report([ViewerReport].self, "GET", "/api/v1/viewers") { ReportText.viewers($0) }
    }
}
