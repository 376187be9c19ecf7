import Configuration
import ControlProtocol
import Diagnostics
import Glibc
import Media
import Motion
import Publishing
import Recording
import Streaming
import Synchronization
import WebServer

/// Answers the web servers: what the agent is doing, and commands to it.
final class AgentControlService: AgentControl {
    /// A reload may change it while commands come in.
    let pushDefaults: Mutex<PushConfiguration>
    let illnessText = Mutex<String?>(nil)
    let device: DeviceIdentity
    private let channels: ChannelSet
    private let heads: HeadSet
    private let pushManager: PushManager
    private let recording: RecordingService
    private let talk: TalkService
    private let platforms: PlatformSet
    private let eventHub: EventHub
    private let budget: ResourceBudget
    private let clock: any MediaClock
    private let startedAt: MediaTime

    init(
        device: DeviceIdentity, channels: ChannelSet, heads: HeadSet, pushes: PushManager, recording: RecordingService,
        talk: TalkService, platforms: PlatformSet, events: EventHub, push: PushConfiguration, budget: ResourceBudget,
        clock: any MediaClock
    ) {
        self.device = device
        self.channels = channels
        self.heads = heads
        pushManager = pushes
        self.recording = recording
        self.talk = talk
        self.platforms = platforms
        eventHub = events
        self.budget = budget
        pushDefaults = Mutex(push)
        self.clock = clock
        startedAt = clock.now()
    }

    func viewableChannels() -> [ViewableChannel] {
        channels.viewable.map { channel in
            guard let head = heads.head(channel.id) else { return channel }
            var channel = channel
            channel.head = ViewableHead(zoom: head.settings.abilities.directions.contains(.zoomIn))
            return channel
        }
    }

    var isStandby: Bool { channels.memory.isStandby }

    func illness() async -> String? { illnessText.withLock { $0 } }

    func status() async -> StatusReport {
        let now = clock.now()
        let links = await platforms.platforms()
        let temperatures = PowerProbe.run().zones.map {
            StatusReport.Temperature(zone: $0.name, celsius: $0.temperature)
        }
        var status = StatusReport(
            version: agentVersion, device: device, pid: Int(getpid()), uptimeSeconds: (now - startedAt).seconds,
            channels: channels.statuses.map { ChannelReport($0, head: heads.head($0.id)?.report, now: now) },
            viewerLimit: 0, viewers: [], pushes: await pushes(), isStandby: isStandby,
            recording: RecordingReport(recording.status, now: now), talkback: talk.report,
            platforms: links.isEmpty ? nil : links)
        status.process = ProcessProbe.run()
        status.process?.turnedAway = budget.turnedAway
        status.pushBreaks = Dictionary(
            uniqueKeysWithValues: pushManager.breaksByCause.map { (PushReport.CauseCode($0).rawValue, $1) })
        status.temperatures = temperatures.isEmpty ? nil : temperatures
        return status
    }

    func pushes() async -> [PushReport] { await pushManager.list().map(PushReport.init) }

    func push(id: String) async throws(ControlError) -> PushReport {
        do throws(PushError) { return PushReport(try await pushManager.get(id)) } catch { throw ControlError(error) }
    }

    func closePush(id: String) async throws(ControlError) -> PushReport {
        do throws(PushError) { return PushReport(try await pushManager.close(id)) } catch { throw ControlError(error) }
    }

    func openPush(_ request: PushOpenRequest) async throws(ControlError) -> (push: PushReport, isNew: Bool) {
        guard let channel = channels.channel(request.channel) else {
            throw .notFound("there is no channel \(request.channel); edgectl channels lists them")
        }
        let quality = request.codeStream.quality
        guard !isStandby else { throw .standby }
        guard channel.hub(quality) != nil else {
            throw .notFound("channel \(request.channel) has no \(quality.rawValue) stream")
        }
        let tracks = TrackSelection(request.dataType)
        guard !tracks.isEmpty(in: channel.settings) else {
            throw .badRequest("channel \(request.channel) has no \(request.dataType.rawValue)")
        }
        let configured = pushDefaults.withLock { $0.defaultTarget(channel: request.channel, stream: quality) }
        guard let text = request.target ?? configured else {
            throw .badRequest("name a target, or set push.defaultTarget in the configuration")
        }
        let target: PushTarget
        do throws(PushTarget.ParseError) { target = try PushTarget(text) } catch { throw .badRequest("\(error)") }
        let order = PushRequest(
            channel: request.channel, quality: quality, tracks: tracks, target: target,
            startTimestamp: request.startTimestamp ?? 0)
        do throws(PushError) {
            let (push, isNew) = try await pushManager.open(order, waits: !request.async)
            return (PushReport(push), isNew)
        } catch {
            throw ControlError(error)
        }
    }

    func snapshot(channel id: Int, stream: CodeStream) async throws(ControlError) -> [UInt8] {
        guard let channel = channels.channel(id) else { throw .notFound("there is no channel \(id)") }
        guard !isStandby else { throw .standby }
        guard channel.settings.hasVideo else { throw .notFound("channel \(id) has no pictures") }
        guard channel.hub(stream.quality) != nil else {
            throw .notFound("channel \(id) has no \(stream.rawValue) stream")
        }
        guard let picture = await channel.snapshot(stream.quality) else {
            throw ControlError(
                status: 503, code: "noData", message: "channel \(id) gave no picture in time; see edgectl channels")
        }
        return picture
    }

    func trace(channel id: Int, stream: CodeStream) async throws(ControlError) -> [StageReport] {
        guard let channel = channels.channel(id) else { throw .notFound("there is no channel \(id)") }
        guard let stages = channel.stages(stream.quality) else {
            throw .notFound("channel \(id) has no \(stream.rawValue) stream")
        }
        return stages.map(StageReport.init)
    }

    func events() async -> AsyncStream<EventReport> { eventHub.listen() }
}

extension TrackSelection {
    init(_ type: DataType) {
        self =
            switch type {
            case .av: .all
            case .video: .video
            case .audio: .audio
            }
    }

    /// Whether the channel has none of these tracks.
    func isEmpty(in settings: ChannelSettings) -> Bool {
        switch self {
        case .all: !settings.hasVideo && !settings.hasAudio
        case .video: !settings.hasVideo
        case .audio: !settings.hasAudio
        }
    }

    var dataType: DataType {
        switch self {
        case .all: .av
        case .video: .video
        case .audio: .audio
        }
    }
}

extension PushReport {
    init(_ push: PushSnapshot) {
        let state: State =
            switch push.state {
            case .connecting: .connecting
            case .publishing: .publishing
            case .waiting: .waiting
            case .closed: .closed
            }
        self.init(
            id: push.id, channel: push.channel, codeStream: CodeStream(push.quality), dataType: push.tracks.dataType,
            target: push.target, state: state, sinceSeconds: push.sinceSeconds, attempts: push.attempts,
            bytesSent: push.bytesSent, framesSent: push.framesSent, framesDropped: push.framesDropped,
            retryInSeconds: push.retryInSeconds, cause: push.cause.map(Cause.init), owner: push.owner?.name,
            paused: push.isPaused ? true : nil)
    }
}

extension PushReport.Cause {
    init(_ cause: CloseCause) { self.init(code: PushReport.CauseCode(cause.code), detail: cause.detail) }
}

extension PushReport.CauseCode {
    init(_ code: CloseCause.Code) {
        self =
            switch code {
            case .requested: .requested
            case .service: .service
            case .unreachable: .unreachable
            case .refused: .refused
            case .networkLost: .networkLost
            case .noData: .noData
            case .shutdown: .shutdown
            case .finished: .finished
            }
    }
}

extension ControlError {
    static let standby = ControlError(
        status: 409, code: "standby", message: "the device is in privacy mode and gives no pictures or sound")

    init(_ error: PushError) {
        self =
            switch error {
            case .badTarget, .noTarget: .badRequest("\(error)")
            case .noSuchStream, .noSuchPush: .notFound("\(error)")
            case .tooManyPushes: ControlError(status: 409, code: "tooManyPushes", message: "\(error)")
            case .shuttingDown: ControlError(status: 503, code: "shutdown", message: "\(error)")
            case .failed(let cause, let isTimeout): .pushFailed(.init(cause), timedOut: isTimeout)
            }
    }
}
