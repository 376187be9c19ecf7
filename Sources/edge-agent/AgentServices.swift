import Configuration
import Glibc
import Logging
import Media
import ServiceLifecycle
import Streaming
import Supervision
import UnixSignals

/// Runs the agent until it is to stop, and tells the service manager.
struct AgentService: Service {
    let agent: Agent
    let notifier: ServiceNotifier
    /// The configuration that is kept once the agent has started with it; nil for none.
    let path: String?
    let logger: Logger

    /// A stop that takes longer is cut short.
    static let stopLimit = MediaTime.milliseconds(1800)

    func run() async throws {
        let pushEvents = agent.pushEvents
        try await agent.start()
        if let path {
            let folder = agent.stateFolder
            await MediaThread.run(name: "configuration") { LastGoodConfiguration.keep(path, in: folder) }
        }
        notifier.ready(status: AgentStatusLine.text(agent))
        logger.notice("edge-agent is ready", metadata: ["channels": "\(agent.channels.viewable.count)"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await agent.relay(pushEvents) }
            group.addTask { await agent.lookAfterHandOffs() }
            group.addTask { await agent.lookAfterCertificate() }
            try? await gracefulShutdown()
            notifier.stopping()
            logger.notice("edge-agent stops")
            let ended = MonitoredFlag()
            // Whatever a device or a peer does: the process ends in time.
            _ = MediaThread(name: "stop-limit") { [logger] in
                guard !ended.wait(until: SystemMediaClock().now() + Self.stopLimit) else { return }
                logger.error("stopping takes too long; what is left is cut short")
                _exit(0)
            }
            await agent.stop()
            ended.set()
            group.cancelAll()
        }
    }
}

/// Reads the configuration again on SIGHUP.
struct ReloadService: Service {
    let agent: Agent
    let signals: UnixSignalsSequence
    let path: String?
    let notifier: ServiceNotifier

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            notifier.reloading(monotonic: SystemMediaClock().now().microseconds)
            let path = path
            let result = await MediaThread.run(name: "configuration") {
                Result { () throws(ConfigurationFile.Failure) in try RunCommand.configuration(path: path) }
            }
            switch result {
            case .success(let configuration):
                await agent.apply(configuration)
                if let path = RunCommand.file(path) {
                    let folder = agent.stateFolder
                    await MediaThread.run(name: "configuration") { LastGoodConfiguration.keep(path, in: folder) }
                }
            case .failure(let failure): agent.refused(failure)
            }
            notifier.ready(status: AgentStatusLine.text(agent))
        }
    }
}

/// One line for `systemctl status`.
enum AgentStatusLine {
    static func text(_ agent: Agent) -> String {
        let channels = agent.channels.viewable.count
        let viewers = agent.viewers.totals
        return "\(channels) channel\(channels == 1 ? "" : "s"), \(viewers.connected) of \(viewers.limit) viewers"
    }
}
