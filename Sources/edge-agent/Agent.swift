import Access
import Configuration
import ControlProtocol
import Diagnostics
import Glibc
import Hooks
import Logging
import Media
import Motion
import NIOCore
import NIOPosix
import PeerToPeer
import PlatformLink
import Publishing
import Recording
import Rendezvous
import Signalling
import Streaming
import Supervision
import Synchronization
import WebServer

/// The whole agent: every room built from one configuration, and put together.
final class Agent: Sendable {
    let control: AgentControlService
    let channels: ChannelSet
    private let heads: HeadSet
    let viewers: ViewerRegistry
    let controlSocket: String
    let stateFolder: String
    private let configuration: Mutex<AgentConfiguration>
    private let device: DeviceService
    private let pushes: PushManager
    private let recording: RecordingService
    private let talk: TalkService
    private let platforms: PlatformSet
    private let doctor: DoctorService
    /// For looking into recordings, which may wait for the disk.
    private let footageThreads: NIOThreadPool
    private let events: EventHub
    private let group: MultiThreadedEventLoopGroup
    private let peers: PeerLinks
    private let rendezvous: Rendezvous?
    private let rendezvousHost: AgentRendezvousHost
    private let handOffs: HandOffDesk?
    private let access: AccessService
    private let certificates: CertificateService
    private let viewerServer: HTTPServer
    private let controlServer: HTTPServer
    private let threshold: LogThreshold
    private let logger: Logger

    init(configuration: AgentConfiguration, threshold: LogThreshold, logger: Logger) {
        let clock = SystemMediaClock()
        let events = EventHub()
        self.events = events
        self.threshold = threshold
        self.logger = logger
        self.configuration = Mutex(configuration)
        controlSocket = configuration.controlSocket
        stateFolder = configuration.stateFolder
        // One loop: a frame is handed over once for each of them.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        let talk = TalkService(configuration.talk, events: events, clock: clock, logger: logger)
        self.talk = talk
        let channels = ChannelSet(
            clock: clock, logger: logger, audioProcessor: { talk.processor(for: $0) }
        ) { event in
            events.publish(
                EventReport.Name.device(isCamera: event.device == .camera, .init(event.status.state)),
                channel: event.channel, device: event.status.device, detail: event.status.detail)
        }
        self.channels = channels
        let heads = HeadSet(folder: configuration.stateFolder, logger: logger) { channel, error in
            events.publish(
                error == nil ? EventReport.Name.ptzBack : EventReport.Name.ptzAway, channel: channel,
                device: error?.device, detail: error.map { "\($0)" })
        }
        self.heads = heads
        pushes = PushManager(
            settings: PublishingSettings(configuration), group: group, hubs: { channels.hub($0, $1) },
            logger: logger, clock: clock)
        let identity = DeviceIdentity.ofThisMachine(logger: logger)
        let recording = RecordingService(
            settings: RecordingSettings(configuration, device: identity), hubs: { channels.hub($0, $1) },
            loop: group.next(), clock: clock, logger: logger
        ) { events.publish($0) }
        self.recording = recording
        let settings = WebServerSettings(configuration.server)
        let policy = CrossOriginPolicy(origins: settings.allowedOrigins, machine: identity.name)
        let device = DeviceService(
            channels: channels, recording: recording, path: configuration.stateFolder + "/device",
            heads: { heads.head($0) }, talking: { talk.isTalking }, events: events, logger: logger)
        self.device = device
        let visitors = VisitorTable(
            limit: settings.viewerLimit, channelLimit: settings.channelViewerLimit, clock: clock
        ) { heads.lost($0.motionHolder) }
        viewers = ViewerRegistry(visitors: visitors)
        let feedback = FeedbackDesk(clock: clock)
        let hook = HookSettings(configuration.signalling).map { IntegratorHook($0, logger: logger) }
        footageThreads = NIOThreadPool(numberOfThreads: Self.footageThreadCount)
        let platforms = PlatformSet(
            device: DeviceForPlatforms(
                channels: channels, recording: recording, footageThreads: footageThreads,
                talkSlot: talk.isTalking == nil ? nil : talk.slot,
                heads: { heads.head($0) }, clock: clock), pushes: pushes, stateFolder: configuration.stateFolder,
            group: group, clock: clock, logger: logger, events: events)
        self.platforms = platforms
        let budget = ResourceBudget(clock: clock) { ProcessProbe.use(of: $0) }
        let control = AgentControlService(
            device: identity, channels: channels, heads: heads, pushes: pushes, recording: recording, talk: talk,
            platforms: platforms, events: events, push: configuration.push, budget: budget, clock: clock)
        self.control = control
        let footage = FootageAccess(
            source: { () throws(StorageFailure) in try recording.footage }, visitors: visitors, threads: footageThreads,
            clock: clock)
        let handOffs = configuration.handOff.map { handOff in
            HandOffDesk(
                settings: .init(
                    viewerURL: handOff.viewerURL, linger: .milliseconds(Int64(handOff.lingerSeconds * 1000)),
                    patience: .milliseconds(Int64(handOff.patienceSeconds * 1000))),
                pushes: HandOffPushes(control: control, target: handOff.target.reveal()), clock: clock
            ) { visitors.hasFreePlace(on: $0) }
        }
        self.handOffs = handOffs
        let certificates = CertificateService(
            configuration.server.tls, stateFolder: configuration.stateFolder, logger: logger)
        self.certificates = certificates
        let access = AccessService(
            configuration, device: identity, policy: policy, budget: budget,
            entrance: Entrance(
                address: settings.address, port: settings.port, isOpen: configuration.isOpen,
                certificate: certificates.certificate),
            clock: clock, logger: logger)
        self.access = access
        let routes = ViewerRoutes(
            agent: control, registry: viewers, policy: policy, tickets: access.tickets,
            commands: CommandTable(
                device: device, recordings: footage, visitors: visitors, handOffs: handOffs, hook: hook
            ) { command in
                events.publish(
                    EventReport.Name.call(command.name.rawValue.dropFirst("call_".count)), channel: command.channel,
                    visitor: command.viewer.number)
            }, feedback: feedback, footage: footage, handOffs: handOffs, talk: talk.slot)
        let requests = PeerRequests(
            router: GuardedRouter(routes, gate: access.gate), settings: settings, registry: viewers, logger: logger)
        peers = PeerLinks(
            settings: configuration.peers, certificatePath: configuration.stateFolder + "/peer-certificate.pem",
            logger: logger
        ) { requests.take($0) }
        let gate = PeerGate(
            links: peers, tickets: access.tickets, alwaysWantsTickets: configuration.peers.ticketKey != nil,
            areTicketsOfUse: configuration.areTicketsOfUse, logger: logger)
        viewerServer = HTTPServer(
            router: GuardedRouter(PeerRoutes(gate: gate, access: access.gate, next: routes), gate: access.gate),
            audience: .network, policy: policy, settings: settings, registry: viewers,
            certificate: certificates.certificate, group: group, logger: logger)
        let recordings = RecordingControlService(recording: recording, footage: footage, channels: channels)
        let rendezvous = configuration.rendezvous.map {
            Rendezvous($0, device: identity.id ?? identity.name, logger: logger)
        }
        self.rendezvous = rendezvous
        let peerInfo = PeerInfoDesk(
            gate: gate, needsTicket: configuration.peersOfTheBroker == nil, device: identity.id ?? identity.name,
            stun: configuration.peers.ice.stun,
            publication: configuration.rendezvous.map { settings in
                .init(
                    topic: RendezvousTopics(prefix: settings.topic, device: identity.id ?? identity.name).info,
                    rights: settings.infoRights, seconds: settings.infoSeconds)
            }, now: { Int64(time(nil)) })
        let doctor = DoctorService(
            configuration: configuration, control: control, channels: channels, footage: recordings,
            entrance: access.entrance, loop: group.next(), clock: clock)
        self.doctor = doctor
        let controlRoutes = ControlRoutes(
            agent: control, registry: viewers,
            recordings: RecordingRoutes(control: recordings, footage: footage), talk: talk.slot,
            motion: MotionRoutes(control: MotionControlService(heads: heads)), platforms: PlatformRoutes(platforms),
            doctor: DoctorRoutes(doctor), feedback: feedback, peers: gate, access: access.routes, peerInfo: peerInfo,
            rendezvous: { rendezvous?.state.description })
        let controlRouter = GuardedRouter(controlRoutes, gate: access.gate)
        rendezvousHost = AgentRendezvousHost(
            gate: gate, withoutTicket: configuration.peersOfTheBroker, router: controlRouter, control: control,
            peerInfo: peerInfo)
        controlServer = HTTPServer(
            router: controlRouter, audience: .owner, policy: CrossOriginPolicy(origins: []), settings: settings,
            registry: viewers, group: group, logger: logger)
    }

    /// One that waits for a slow disk does not hold up the other's question.
    private static let footageThreadCount = 2

    /// Returns when viewers and commands can come. On an error nothing is left running that would keep the process.
    func start() async throws {
        let configuration = configuration.withLock { $0 }
        // Others may enter the socket's folder, so that members of the socket's group can; the state is nobody else's.
        let folders = [
            (Folders.parent(of: configuration.controlSocket), mode_t(0o755)), (configuration.stateFolder, 0o700),
        ]
        for (folder, mode) in folders {
            if let reason = Folders.make(folder, mode: mode) {
                logger.warning("a folder is missing and cannot be made", metadata: ["detail": "\(reason)"])
            }
        }
        footageThreads.start()
        let (access, certificates) = (self.access, self.certificates)
        try await MediaThread.run(name: "access") {
            Result { () throws(WebServerError) in
                access.begin()
                try certificates.begin()
            }
        }.get()
        // First, since it also keeps a second agent from taking the devices of the first.
        try await controlServer.start(.unixSocket(path: configuration.controlSocket))
        try await viewerServer.start(.tcp(host: configuration.server.address, port: configuration.server.port))
        access.listens(at: viewerServer.port)
        let channels = self.channels
        let heads = self.heads
        let device = self.device
        _ = await MediaThread.run(name: "channels") {
            device.remember()
            heads.apply(configuration.heads)
            return channels.apply(configuration.channels)
        }
        recording.start()
        await pushes.start()
        await platforms.apply(configuration.platforms)
        rendezvous?.start(rendezvousHost)
    }

    /// Looks after what the hand-off began, until it is cancelled.
    func lookAfterHandOffs() async {
        guard let handOffs else { return }
        while (try? await Task.sleep(nanoseconds: 1_000_000_000)) != nil { await handOffs.review() }
    }

    /// Looks after what the web server shows of itself, until it is cancelled.
    func lookAfterCertificate() async { await certificates.lookAfter() }

    /// From now on, until the pushes are shut down.
    var pushEvents: AsyncStream<PushEvent> { pushes.events() }

    /// Turns what pushes tell into events of the control API.
    func relay(_ pushEvents: AsyncStream<PushEvent>) async {
        for await event in pushEvents {
            events.publish(event.kind.rawValue, channel: event.push.channel, push: PushReport(event.push))
        }
    }

    /// Brings motors to rest first. Then ends pushes with a farewell, viewers with theirs and recordings with their
    /// files' final form; then cameras and microphones.
    func stop() async {
        let heads = self.heads
        await MediaThread.run(name: "heads") { heads.stopAll() }
        let recording = self.recording
        async let pushesEnded: Void = pushes.shutdown()
        async let viewersEnded: Void = viewerServer.close()
        let rendezvous = self.rendezvous
        async let rendezvousEnded: Void = MediaThread.run(name: "rendezvous-stop") { rendezvous?.stop() }
        async let peersEnded: Void = peers.stop()
        async let recordingsEnded: Void = MediaThread.run(name: "recorder-stop") { recording.stop() }
        let slot = talk.slot
        async let talkEnded: Void = MediaThread.run(name: "talk-stop") { slot.close() }
        _ = await (pushesEnded, viewersEnded, peersEnded, rendezvousEnded, recordingsEnded, talkEnded)
        await platforms.stopAll()
        let access = self.access
        await MediaThread.run(name: "access") { access.end() }
        try? await footageThreads.shutdownGracefully()
        events.close()
        await controlServer.close()
        let channels = self.channels
        await MediaThread.run(name: "channels") { channels.stopAll() }
    }

    /// Takes over what may change under way, and logs what may not.
    func apply(_ new: AgentConfiguration) async {
        let old = configuration.withLock { configuration in
            defer { configuration = new }
            return configuration
        }
        threshold.level = Logger.Level(new.logLevel)
        viewers.setLimit(new.server.viewerLimit, ofChannel: new.server.channelViewerLimit)
        control.pushDefaults.withLock { $0.defaultTarget = new.push.defaultTarget }
        doctor.configuration.withLock { $0 = new }
        let (channels, heads) = (self.channels, self.heads)
        let change = await MediaThread.run(name: "channels") {
            heads.apply(new.heads)
            return channels.apply(new.channels)
        }
        recording.apply(RecordingSettings(new, device: control.device))
        await platforms.apply(new.platforms)
        logger.notice(
            "the configuration was read again",
            metadata: ["channelsStopped": "\(change.stopped)", "channelsStarted": "\(change.started)"])
        let waiting = AgentConfiguration.changesThatNeedAStart(from: old, to: new)
        if !waiting.isEmpty {
            logger.warning(
                "some changes take effect with the next start", metadata: ["keys": "\(waiting.joined(separator: ", "))"]
            )
        }
        events.publish(
            EventReport.Name.configurationChanged,
            detail: "\(change.stopped) channels stopped, \(change.started) started")
    }

    func refused(_ failure: ConfigurationFile.Failure) {
        for line in failure.lines {
            logger.error("the configuration has mistakes and is not taken over", metadata: ["detail": "\(line)"])
        }
        events.publish(EventReport.Name.configurationRefused, detail: failure.lines.first)
    }
}

extension AgentConfiguration {
    /// The keys whose new values a running agent does not take over.
    static func changesThatNeedAStart(from old: Self, to new: Self) -> [String] {
        var server = new.server
        server.viewerLimit = old.server.viewerLimit
        server.channelViewerLimit = old.server.channelViewerLimit
        var push = new.push
        push.defaultTarget = old.push.defaultTarget
        let (oldDisk, newDisk) = (old.recording, new.recording)
        return [
            ("server", server != old.server), ("access", new.access != old.access), ("push", push != old.push),
            ("peers", new.peers != old.peers),
            ("rendezvous", new.rendezvous != old.rendezvous),
            ("handOff", new.handOff != old.handOff), ("talk", new.talk != old.talk),
            ("recording.folder", newDisk.folder != oldDisk.folder),
            ("recording.requiresMount", newDisk.requiresMount != oldDisk.requiresMount),
            ("control.socket", new.controlSocket != old.controlSocket),
            ("signalling", new.signalling != old.signalling), ("state.folder", new.stateFolder != old.stateFolder),
        ].filter(\.1).map(\.0)
    }
}

extension Logger.Level {
    init(_ level: LogLevel) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }
}

extension WebServerSettings {
    init(_ configuration: ServerConfiguration) {
        self.init()
        address = configuration.address
        port = configuration.port
        viewerLimit = configuration.viewerLimit
        channelViewerLimit = configuration.channelViewerLimit
        allowedOrigins = configuration.allowedOrigins
        viewerQueueBytes = configuration.viewerQueueBytes
        viewerQueueMilliseconds = Int(configuration.viewerQueueSeconds * 1000)
        sendBufferBytes = configuration.sendBufferBytes
        stallSeconds = configuration.stallSeconds
    }
}

extension PublishingSettings {
    init(_ configuration: AgentConfiguration) {
        self.init()
        let push = configuration.push
        stateFile = configuration.stateFolder + "/pushes"
        maximumPushes = push.limit
        adaptBitrate = push.adaptBitrate
        chunkSize = push.chunkSize
        caFile = push.caFile
        queryInTcURL = push.queryInTcURL
        connectTimeout = .milliseconds(Int64(push.connectSeconds * 1000))
        publishTimeout = .milliseconds(Int64(push.publishSeconds * 1000))
        noDataTimeout = .milliseconds(Int64(push.noDataSeconds * 1000))
        stallTimeout = .milliseconds(Int64(push.stallSeconds * 1000))
    }
}

extension RecordingSettings {
    init(_ configuration: AgentConfiguration, device: DeviceIdentity) {
        let recording = configuration.recording
        self.init(folder: recording.folder, diskMemory: configuration.stateFolder + "/recording-disk")
        requiresMount = recording.requiresMount
        freePerMille = recording.freePerMille
        plans = recording.plans
        limits = recording.limits
        self.device = device.id ?? device.name
    }
}

extension HookSettings {
    /// Nil where there is no hook.
    init?(_ configuration: SignallingConfiguration) {
        guard let hook = configuration.hook else { return nil }
        let target: Target =
            switch hook.target {
            case .program(let path, let arguments): .program(path: path, arguments: arguments)
            case .socket(let path): .socket(path: path)
            }
        self.init(target: target, timeout: .milliseconds(Int64(hook.timeoutSeconds * 1000)))
    }
}

extension CommandTable {
    /// Every command there is.
    init(
        device: any DeviceView, recordings: any RecordingQueries, visitors: VisitorTable,
        handOffs: HandOffDesk?, hook: (any UserCommandHook)?, onCall: @escaping @Sendable (InnerCommand) -> Void
    ) {
        var userCommands = UserCommands(hook: hook)
        PTZCommands(device).add(to: &userCommands)
        TopicCommands(device, visitors: visitors).add(to: &userCommands)
        self.init(userCommands: userCommands)
        DeviceCommands(device, visitors: visitors, handOffs: handOffs, onCall: onCall).add(to: &self)
        RecordingCommands(recordings).add(to: &self)
        PlaybackCommands(visitors).add(to: &self)
    }
}
