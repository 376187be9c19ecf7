import ArgumentParser
import ControlProtocol

@main
struct EdgeAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge-agent",
        abstract: "Makes live streams of this machine's cameras and microphones.",
        discussion: """
            Exit status: 0 done; 1 it could not start, or `check` found mistakes; 64 the command line is wrong; \
            78 `run` found mistakes in the configuration.
            """,
        version: agentVersion,
        subcommands: [RunCommand.self, CheckCommand.self, DevicesCommand.self, EncodeCommand.self])
}
