import ArgumentParser
import ControlProtocol

struct PeersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "p2p", abstract: "The viewers that are connected peer to peer, and how.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report([PeerReport].self, "GET", "/api/v1/peers", show: ReportText.peers)
    }
}
