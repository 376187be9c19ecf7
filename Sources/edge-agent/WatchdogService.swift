import CLinux
import ControlProtocol
import Glibc
import Logging
import Media
import ServiceLifecycle
import Streaming
import Supervision

/// Looks at the agent from outside, over its control socket, and at its encoders; feeds the service manager's watchdog
/// while both do what they should. On a thread of its own, since it has to notice when the others stand still.
struct WatchdogService: Service {
    let agent: Agent
    let notifier: ServiceNotifier
    /// What the service manager asks for; nil where nobody does, and then only /healthz tells.
    let managerInterval: MediaTime?
    let logger: Logger

    private static let ownInterval = MediaTime.seconds(5)
    /// An encoder that is wanted and gives nothing for so long is stuck. A slow camera opens in less.
    private static let patience = MediaTime.seconds(10)
    /// Heaps keep what is freed between things that stay, and grow for hours where nobody asks for it.
    private static let timeToGiveBack = MediaTime.seconds(60)

    func run() async throws {
        let stop = MonitoredFlag()
        _ = MediaThread(name: "watchdog") {
            watch(until: stop)
        }
        try? await gracefulShutdown()
        stop.set()
    }

    private func watch(until stop: MonitoredFlag) {
        let clock = SystemMediaClock()
        // Twice within the manager's time, with some to spare.
        let interval =
            managerInterval.map { MediaTime(nanoseconds: max(50_000_000, $0.nanoseconds * 2 / 5)) }
            ?? Self.ownInterval
        let client = ControlClient(
            socket: agent.controlSocket, timeoutSeconds: max(1, Int(interval.nanoseconds / 2_000_000_000)))
        var judge = WatchdogJudge(patience: Self.patience.nanoseconds)
        var status = ""
        var wasStuck = false
        var gaveBackAt = clock.now()
        while !stop.wait(until: clock.now() + interval) {
            agent.channels.relieveHeldThreads()
            let answered = (try? client.send(method: "GET", path: "/api/v1/channels"))?.status == 200
            // The answer may have come too late to matter.
            guard !stop.isSet else { return }
            switch judge.judge(answered: answered, encoders: encoders(), now: clock.now().nanoseconds) {
            case .alive:
                notifier.watchdog()
                agent.control.illnessText.withLock { $0 = nil }
                if wasStuck { logger.notice("the agent is well again") }
                wasStuck = false
            case .stuck(let reason):
                agent.control.illnessText.withLock { $0 = reason }
                if !wasStuck {
                    logger.error("the agent is stuck; the watchdog is not fed", metadata: ["detail": "\(reason)"])
                }
                wasStuck = true
            }
            if clock.now() - gaveBackAt >= Self.timeToGiveBack {
                clinux_give_back_memory()
                gaveBackAt = clock.now()
            }
            let line = AgentStatusLine.text(agent)
            if line != status { notifier.status(line) }
            status = line
        }
    }

    private func encoders() -> [WatchdogJudge.Encoder] {
        agent.channels.statuses.flatMap { channel in
            channel.streams.map { stream in
                WatchdogJudge.Encoder(
                    name: "\(channel.id)/\(stream.quality.rawValue)", isWanted: stream.statistics.subscribers > 0,
                    frames: stream.statistics.videoFrames)
            }
        }
    }
}
