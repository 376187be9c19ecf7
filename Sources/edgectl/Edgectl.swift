import ArgumentParser
import ControlProtocol

@main
struct Edgectl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edgectl",
        abstract: "Looks at, and commands, the edge-agent of this machine.",
        discussion: """
            Every command takes --json, which prints the agent's own answer.

            Exit status: 0 done; 1 the agent refused, or what was commanded failed; 64 the command line is wrong; \
            69 the agent, or the update engine, does not answer.
            """,
        version: agentVersion,
        subcommands: [
            StatusCommand.self, ChannelsCommand.self, ViewersCommand.self, SnapshotCommand.self, PushCommand.self,
            FilesCommand.self, RecordCommand.self, PTZSubcommand.self, TalkCommand.self, FeedbackCommand.self,
            PeersCommand.self, AccessCommand.self, PlatformCommand.self, EventsCommand.self, DoctorCommand.self,
            TopCommand.self, TraceCommand.self, BundleCommand.self, UpdateCommand.self,
        ])
}
