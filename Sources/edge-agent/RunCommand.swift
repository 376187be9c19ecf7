import ArgumentParser
import CLinux
import Configuration
import ControlProtocol
import Glibc
import Logging
import Media
import ServiceLifecycle
import Supervision
import UnixSignals
import WebServer

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the agent until SIGTERM or SIGINT; SIGHUP reads the configuration again.",
        discussion:
            "Without --config, \(AgentConfiguration.defaultFile) is read where it is there; else every default holds.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    /// EX_CONFIG of sysexits.h; the systemd unit does not start the agent again after it.
    private static let configurationStatus: Int32 = 78

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        // What one thread frees, another can use: with a heap for each, memory grows for hours with what they keep.
        clinux_share_heaps(2)
        // An encoder's pictures would take up to 4 MB more where luck joins them, and are not made faster by it.
        clinux_avoid_huge_pages()
        Self.raiseFileLimit()
        let configuration: AgentConfiguration
        var isLastGood = false
        do throws(ConfigurationFile.Failure) {
            configuration = try Self.configuration(path: config)
        } catch {
            for line in error.lines { StandardStreams.printError(line) }
            guard let path = Self.file(config), let last = LastGoodConfiguration.read(of: path) else {
                throw ExitCode(Self.configurationStatus)
            }
            configuration = last
            isLastGood = true
        }
        let crashes = CrashReports.begin(in: configuration.stateFolder)
        let threshold = LogThreshold(Logger.Level(configuration.logLevel))
        let form = JournalLogHandler.formFromEnvironment()
        LoggingSystem.bootstrap { _ in JournalLogHandler(form: form, threshold: threshold) }
        let logger = Logger(label: "edge-agent")
        logger.notice(
            "edge-agent starts",
            metadata: ["version": "\(agentVersion)", "configuration": "\(Self.file(config) ?? "defaults")"])
        if isLastGood {
            logger.error(
                "the configuration has mistakes; the agent runs with the last one that had none",
                metadata: ["configuration": "\(Self.file(config) ?? "")"])
        }
        if crashes > 0 {
            logger.warning(
                "it crashed in earlier runs; edgectl bundle packs the reports", metadata: ["reports": "\(crashes)"])
        }

        let notifier = ServiceNotifier.fromEnvironment()
        let agent = Agent(configuration: configuration, threshold: threshold, logger: logger)
        // Before anybody may think that the agent is ready for it.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let interval = ServiceNotifier.watchdogInterval(
            environment: { getenv($0).map { String(cString: $0) } }, pid: getpid())
        var quiet = logger
        quiet.logLevel = .error
        // They are stopped from the last to the first: nobody watches an agent that stops, and a reload under way does
        // not hold it up.
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: ReloadService(agent: agent, signals: hangUps, path: config, notifier: notifier)),
                    .init(
                        service: AgentService(
                            agent: agent, notifier: notifier, path: isLastGood ? nil : Self.file(config), logger: logger
                        )),
                    .init(
                        service: WatchdogService(
                            agent: agent, notifier: notifier, managerInterval: interval.map { .microseconds($0) },
                            logger: logger)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        do {
            try await group.run()
        } catch {
            logger.critical("edge-agent cannot run", metadata: ["detail": "\(error)"])
            // Not through exit(): threads of devices may still be at work, and must not meet a dying process.
            _exit(1)
        }
        logger.notice("edge-agent has stopped")
        _exit(0)
    }

    /// The default file where it is there.
    private static var fileInUse: String? {
        access(AgentConfiguration.defaultFile, F_OK) == 0 ? AgentConfiguration.defaultFile : nil
    }

    /// The file that the configuration was read from; nil for defaults.
    static func file(_ path: String?) -> String? { path ?? fileInUse }

    static func configuration(path: String?) throws(ConfigurationFile.Failure) -> AgentConfiguration {
        guard let path = file(path) else { return ConfigurationReader.defaults }
        return try ConfigurationFile.read(path: path)
    }

    /// Every viewer is a file; the usual soft limit of 1024 is for programs that use select().
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
