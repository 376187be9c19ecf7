import Configuration
import ControlProtocol
import Diagnostics
import Glibc
import Imaging
import Media
import NIOCore
import Publishing
import Recording
import Streaming
import Synchronization
import WebServer

/// Looks for what is wrong with the device, from inside the agent: as its user, in its sandbox, with its devices.
final class DoctorService: Doctor {
    /// A reload may change it.
    let configuration: Mutex<AgentConfiguration>
    private let control: AgentControlService
    private let channels: ChannelSet
    private let footage: RecordingControlService
    private let entrance: Entrance
    private let loop: any EventLoop
    private let clock: any MediaClock

    init(
        configuration: AgentConfiguration, control: AgentControlService, channels: ChannelSet,
        footage: RecordingControlService, entrance: Entrance, loop: any EventLoop, clock: any MediaClock
    ) {
        self.configuration = Mutex(configuration)
        self.control = control
        self.channels = channels
        self.footage = footage
        self.entrance = entrance
        self.loop = loop
        self.clock = clock
    }

    /// How long cameras, microphones and busy encoders are watched.
    private static let watching = MediaTime.seconds(2)
    private static let looks = 4
    /// How long an idle encoder is made to work, one after the other.
    private static let trial: UInt64 = 1_000_000_000
    /// The first pictures of a trial, which open the encoder, do not count.
    private static let warmUp: UInt64 = 500_000_000

    func examine(_ areas: Set<FindingReport.Area>) async -> [FindingReport] {
        let status = await control.status()
        async let devices = areas.isDisjoint(with: [.camera, .sound, .encoder]) ? [] : devices(areas, status)
        async let storage = areas.contains(.storage) ? storage(status) : []
        async let network = areas.contains(.network) ? network(status) : []
        async let clock = areas.contains(.clock) ? wallClock() : []
        async let peers = areas.contains(.p2p) ? peers() : []
        var found: [FindingReport] = []
        if areas.contains(.agent) { found += await process(status) }
        if areas.contains(.motor) { found += status.channels.flatMap(MotorDiagnosis.findings) }
        if areas.contains(.power) {
            found += await MediaThread.run(name: "doctor") { PowerDiagnosis.findings(PowerProbe.run()) }
        }
        found += await devices + storage + network + clock + peers
        // In the areas' order, however long each took.
        return FindingReport.Area.allCases.flatMap { area in found.filter { $0.area == area } }
    }

    private func process(_ status: StatusReport) async -> [FindingReport] {
        let process = ProcessProbe.run()
        return AgentDiagnosis.findings(
            .init(
                version: status.version, uptimeSeconds: status.uptimeSeconds, illness: await control.illness(),
                openFiles: process.openFiles, maximumFiles: process.maximumFiles,
                residentBytes: process.residentBytes, memoryLimit: AgentDiagnosis.memoryLimit()))
    }

    // MARK: Cameras, microphones, encoders

    private func devices(_ areas: Set<FindingReport.Area>, _ before: StatusReport) async -> [FindingReport] {
        let start = clock.now()
        let looks = await watch(seeing: areas.contains(.camera))
        let after = await control.status()
        let seconds = (clock.now() - start).seconds
        var found: [FindingReport] = []
        for channel in after.channels {
            guard let old = before.channels.first(where: { $0.channel == channel.channel }),
                let settings = channels.channel(channel.channel)?.settings
            else { continue }
            let isStandby = after.isStandby == true
            if areas.contains(.camera) {
                found += CameraDiagnosis.findings(
                    .init(
                        channel: channel, isStandby: isStandby, wantedRate: settings.camera.frameRate,
                        rate: old.camera.state == .running
                            ? Double(channel.camera.captured - old.camera.captured) / seconds : nil,
                        looks: (looks[channel.channel] ?? []).map {
                            .init(mean: $0.mean, contrast: $0.contrast, fingerprint: $0.grid.hashValue)
                        }, uptimeSeconds: after.uptimeSeconds))
            }
            if areas.contains(.sound) {
                found += SoundDiagnosis.findings(
                    .init(
                        channel: channel, isStandby: isStandby,
                        newOverruns: (channel.microphone.overruns ?? 0) - (old.microphone.overruns ?? 0),
                        uptimeSeconds: after.uptimeSeconds))
            }
            if areas.contains(.encoder), !isStandby {
                found += await encoders(channel, since: old, seconds: seconds)
            }
        }
        return found
    }

    /// By channel; all at once.
    private func watch(seeing: Bool) async -> [Int: [PictureLook]] {
        await withTaskGroup(of: (Int, [PictureLook]).self) { group in
            for id in channels.settings.map(\.id) {
                guard let channel = channels.channel(id) else { continue }
                group.addTask {
                    await MediaThread.run(name: "doctor\(id)") {
                        (id, channel.looks(seeing ? Self.looks : 0, over: Self.watching))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func encoders(
        _ channel: ChannelReport, since old: ChannelReport, seconds: Double
    ) async -> [FindingReport] {
        guard channel.camera.state == .running else { return [] }
        var found: [FindingReport] = []
        for stream in channel.streams {
            guard let hub = channels.hub(channel.channel, stream.stream.quality) else { continue }
            let known = old.streams.first { $0.stream == stream.stream }
            if let known, known.encoding, stream.encoding {
                found += Self.judge(channel, stream, old, known, seconds: seconds)
            } else {
                found += await trial(channel, stream.stream, hub)
            }
        }
        return found
    }

    /// An idle encoder gets a consumer for a moment.
    private func trial(_ channel: ChannelReport, _ stream: CodeStream, _ hub: StreamHub) async -> [FindingReport] {
        let loop = self.loop
        let subscription = try? await loop.submit {
            NIOLoopBound(hub.subscribe(UnlookedAtFrames(), on: loop, start: .freshKeyFrame), eventLoop: loop)
        }.get()
        guard let subscription else { return [] }
        try? await Task.sleep(nanoseconds: Self.warmUp)
        let (start, before) = (clock.now(), report(channel.channel))
        try? await Task.sleep(nanoseconds: Self.trial)
        let (end, after) = (clock.now(), report(channel.channel))
        loop.execute { subscription.value?.cancel() }
        guard let before, let after, let old = before.streams.first(where: { $0.stream == stream }),
            let new = after.streams.first(where: { $0.stream == stream })
        else { return [] }
        return Self.judge(after, new, before, old, seconds: (end - start).seconds)
    }

    private func report(_ channel: Int) -> ChannelReport? {
        channels.channel(channel).map { ChannelReport($0.status(), head: nil, now: clock.now()) }
    }

    private static func judge(
        _ channel: ChannelReport, _ stream: StreamReport, _ oldChannel: ChannelReport, _ old: StreamReport,
        seconds: Double
    ) -> [FindingReport] {
        EncoderDiagnosis.findings(
            .init(
                channel: channel.channel, stream: stream, seconds: seconds,
                newPictures: stream.videoFrames - old.videoFrames, newOverruns: stream.overruns - old.overruns,
                busySeconds: (stream.encodeTimes?.seconds ?? 0) - (old.encodeTimes?.seconds ?? 0),
                capturedPictures: channel.camera.captured - oldChannel.camera.captured))
    }

    // MARK: Disks

    private func storage(_ status: StatusReport) async -> [FindingReport] {
        let configuration = configuration.withLock { $0 }
        let rate = status.channels.flatMap(\.streams).reduce(0) { $0 + ($1.encoding ? $1.bitrate : 0) } / 8
        var found = status.recording.map(StorageDiagnosis.findings) ?? []
        var folders: [(String, StorageDiagnosis.Folder.Purpose)] = [(configuration.stateFolder, .state)]
        // What recording has found out by itself need not be found twice.
        if let recording = status.recording, found.isEmpty {
            folders.append((recording.disk.folder, .recordings(rate: Double(rate))))
        }
        for (path, purpose) in folders {
            let probe = await MediaThread.run(name: "doctor") { StorageProbe.run(folder: path) }
            found += StorageDiagnosis.findings(.init(path: path, purpose: purpose, probe: probe))
        }
        return found
    }

    // MARK: Network

    private func network(_ status: StatusReport) async -> [FindingReport] {
        let probe = await MediaThread.run(name: "doctor") { NetworkProbe.run() }
        let services = services()
        let connections = await withTaskGroup(of: (Int, FindingReport).self) { group in
            for (index, service) in services.enumerated() {
                group.addTask {
                    await MediaThread.run(name: "doctor") {
                        let connection = ConnectionProbe.run(host: service.host, port: service.port)
                        return (
                            index,
                            NetworkDiagnosis.finding(service, connection, nameServers: probe.nameServers)
                        )
                    }
                }
            }
            return await group.reduce(into: [(Int, FindingReport)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return NetworkDiagnosis.findings(probe) + connections + NetworkDiagnosis.findings(status)
            + EntranceDiagnosis.findings(entrance.report, now: Int64(time(nil)))
    }

    /// Those that the configuration names; each once.
    private func services() -> [NetworkDiagnosis.Service] {
        let configuration = configuration.withLock { $0 }
        var services: [NetworkDiagnosis.Service] = []
        func add(_ name: String, _ host: String, _ port: Int) {
            guard !services.contains(where: { $0.host == host && $0.port == port }) else { return }
            services.append(.init(name: name, host: host, port: port))
        }
        for text in [
            configuration.push.defaultTarget(channel: 0, stream: .main), configuration.handOff?.target.reveal(),
        ] {
            guard let text, let target = try? PushTarget(text) else { continue }
            add("media service", target.host, target.port)
        }
        if let broker = configuration.rendezvous { add("broker", broker.host, Int(broker.port)) }
        for platform in configuration.platforms {
            for server in platform.servers { add("platform \(platform.name)", server.host, server.port) }
        }
        return services
    }

    // MARK: Peers

    private func peers() async -> [FindingReport] {
        let configuration = configuration.withLock { $0 }
        return await MediaThread.run(name: "doctor") { PeerDiagnosis.findings(.init(configuration)) }
    }

    // MARK: Time

    private func wallClock() async -> [FindingReport] {
        let reading = SystemWallClock().read()
        let now = reading.milliseconds(at: clock.now())
        let ahead = try? await footage.files(channel: nil, in: now..<Int64.max, limit: 1).last
        var program = stat()
        let made = stat("/proc/self/exe", &program) == 0 ? program.st_mtim.tv_sec : 0
        return ClockDiagnosis.findings(
            .init(
                now: Int(now / 1000), programMade: made,
                newestFootage: ahead.map { Int($0.end / 1000) }, isSynchronised: reading.isTrusted))
    }
}

/// Wants frames for nothing but that they are made.
private final class UnlookedAtFrames: FrameSink {
    var isWritable: Bool { true }
    func send(headers: StreamHeaders, timestamp: UInt32) {}
    func send(frame: StreamFrame, timestamp: UInt32) {}
    func flush() {}
    func streamEnded() {}
}
