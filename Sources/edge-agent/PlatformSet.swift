import ControlProtocol
import Logging
import Media
import NIOCore
import PlatformLink
import PlatformProtocol
import Publishing
import WebServer

/// The links to fleet platforms, and how a new configuration changes them.
actor PlatformSet: PlatformView {
    private struct Entry {
        let settings: PlatformSettings
        let link: PlatformLink
        let task: Task<Void, Never>
    }

    private let device: DeviceForPlatforms
    private let pushes: PushManager
    private let store: PlatformStore
    private let group: any EventLoopGroup
    private let clock: any MediaClock
    private let logger: Logger
    private let events: EventHub
    private var entries: [Entry] = []
    private var isClosed = false

    init(
        device: DeviceForPlatforms, pushes: PushManager, stateFolder: String, group: any EventLoopGroup,
        clock: any MediaClock, logger: Logger, events: EventHub
    ) {
        self.device = device
        self.pushes = pushes
        self.group = group
        self.clock = clock
        self.logger = logger
        self.events = events
        store = PlatformStore(folder: stateFolder, logger: logger)
    }

    /// Makes the links those of `platforms`. What is configured as before is not touched.
    func apply(_ platforms: [PlatformSettings]) async {
        guard !isClosed else { return }
        let leaving = entries.filter { !platforms.contains($0.settings) }
        entries.removeAll { !platforms.contains($0.settings) }
        await stop(leaving)
        for settings in platforms where !entries.contains(where: { $0.settings == settings }) {
            let memory = await store.load(settings.name)
            guard !isClosed else { return }
            let events = events
            var identity = settings
            identity.identity.firmware = agentVersion
            let link = PlatformLink(
                settings: identity, memory: memory, device: device, pushes: pushes, store: store, loop: group.next(),
                clock: clock, logger: logger
            ) { event in
                events.publish(
                    event.kind.rawValue, channel: event.channel, detail: event.detail, platform: event.platform)
            }
            entries.append(Entry(settings: settings, link: link, task: Task { await link.run() }))
        }
    }

    func stopAll() async {
        isClosed = true
        let all = entries
        entries = []
        await stop(all)
    }

    /// All at once.
    private func stop(_ leaving: [Entry]) async {
        await withTaskGroup(of: Void.self) { group in
            for entry in leaving {
                group.addTask {
                    await entry.link.stop()
                    await entry.task.value
                }
            }
        }
    }

    // MARK: PlatformView

    func platforms() async -> [PlatformReport] {
        var reports: [PlatformReport] = []
        for entry in entries {
            if let status = await entry.link.status() { reports.append(PlatformReport(status)) }
        }
        return reports
    }

    func platformFrames(_ name: String) async throws(ControlError) -> [PlatformFrameReport] {
        guard let entry = entries.first(where: { $0.settings.name == name }) else {
            throw .notFound("there is no platform \(name); edgectl platform list shows them")
        }
        return await entry.link.frames().map { PlatformFrameReport($0) }
    }
}

extension PlatformReport {
    init(_ status: PlatformStatus) {
        let state: State =
            switch status.state {
            case .offline: .offline
            case .connecting: .connecting
            case .registering: .registering
            case .authenticating: .authenticating
            case .online: .online
            }
        self.init(
            name: status.name, state: state, sinceSeconds: status.since.seconds,
            server: status.server.map { "\($0.host):\($0.port)" } ?? "", phone: status.phone.digits,
            version: status.version.rawValue, detail: status.detail, framesReceived: status.counters.framesReceived,
            framesSent: status.counters.framesSent, framesBroken: status.counters.framesBroken,
            logins: status.counters.logins, streams: status.streams.map { Stream($0) })
    }
}

extension PlatformReport.Stream {
    init(_ status: PlatformStatus.Stream) {
        let stream = status.stream
        self.init(
            logicalChannel: Int(stream.channel), channel: stream.channelID, kind: stream.kind.rawValue,
            codeStream: CodeStream(stream.quality), publishing: stream.isPublishing, paused: stream.isPaused,
            push: status.push)
    }
}

extension PlatformFrameReport {
    init(_ entry: FrameLog.Entry) {
        let time = max(entry.time, 0)
        self.init(
            number: entry.number,
            time: EventReport.timestamp(seconds: Int(time / 1000), milliseconds: Int(time % 1000)),
            sent: entry.isSent, hex: entry.hex, text: entry.decoded.line)
    }
}
