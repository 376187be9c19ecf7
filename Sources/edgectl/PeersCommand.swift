import ArgumentParser
import ControlProtocol

struct PeersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "p2p", abstract: "Viewers that connect peer to peer.",
        subcommands: [PeersListCommand.self, PeersTicketCommand.self, PeersInfoCommand.self],
        defaultSubcommand: PeersListCommand.self)
}

struct PeersListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The links there are, and how each was found.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report([PeerReport].self, "GET", "/api/v1/peers", show: ReportText.peers)
    }
}

struct PeersTicketCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket", abstract: "Makes a ticket with which a viewer may connect.",
        discussion: "It is needed where peers.ticketKey is set, and belongs to the viewer that uses it first.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("How long it holds, in seconds; a day at most.", valueName: "number"))
    var seconds = TicketOrder.defaultSeconds

    @Option(help: ArgumentHelp("The only channel that it is for; else it is for all.", valueName: "number"))
    var channel: Int?

    @Option(
        help: ArgumentHelp(
            "What it allows, joined by commas: live, playback, download, talk, command, control; else all.",
            valueName: "names"))
    var rights: String?

    func run() throws {
        let names = rights?.split(separator: ",").map(String.init)
        let order = ControlCoding.encode(TicketOrder(seconds: seconds, channel: channel, rights: names))
        try agent.report(TicketReport.self, "POST", "/api/v1/peers/tickets", body: order, show: \.ticket)
    }
}

struct PeersInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "What the device hands to viewers so that they can connect.",
        discussion: "Where a broker is configured it stands there, too, for all who may read it.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report(PeerInfoReport.self, "GET", "/api/v1/peers/info", show: ReportText.peerInfo)
    }
}
