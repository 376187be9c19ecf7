import Configuration
import Logging
import Imaging
import Media
import Signalling
import Streaming
import Synchronization
import WebServer

/// The channels that run, and how a new configuration changes them. Looking is quick and may be done from any thread;
/// changes block, and wait for one another: not on the concurrency pool.
final class ChannelSet: Sendable {
    private struct Entry: Sendable {
        let configuration: ChannelConfiguration
        let channel: CameraChannel
        let viewable: ViewableChannel
    }

    private struct Changing {
        var configurations: [ChannelConfiguration] = []
        /// All are stopped for good.
        var isClosed = false
    }

    private let entries = Mutex<[Entry]>([])
    private let currentMemory = Mutex(DeviceMemory())
    /// Held while channels are changed.
    private let changing = Mutex(Changing())
    private let clock: any MediaClock
    private let logger: Logger
    private let audioProcessor: @Sendable (ChannelSettings) -> (any AudioProcessor)?
    private let onDeviceChange: @Sendable (DeviceEvent) -> Void

    /// - Parameter audioProcessor: what a channel's microphone goes through.
    init(
        clock: any MediaClock, logger: Logger,
        audioProcessor: @escaping @Sendable (ChannelSettings) -> (any AudioProcessor)?,
        onDeviceChange: @escaping @Sendable (DeviceEvent) -> Void
    ) {
        self.audioProcessor = audioProcessor
        self.clock = clock
        self.logger = logger
        self.onDeviceChange = onDeviceChange
    }

    var viewable: [ViewableChannel] { entries.withLock { $0.map(\.viewable) } }
    var settings: [ChannelSettings] { entries.withLock { $0.map(\.channel.settings) } }
    var statuses: [ChannelStatus] { entries.withLock { $0.map(\.channel) }.map { $0.status() } }

    /// To be called every few seconds; see `CameraChannel.relieveHeldThreads`.
    func relieveHeldThreads() {
        for entry in entries.withLock({ $0 }) { entry.channel.relieveHeldThreads() }
    }

    func channel(_ id: Int) -> CameraChannel? {
        entries.withLock { entries in entries.first { $0.channel.settings.id == id }?.channel }
    }

    /// Nil also in privacy mode.
    func hub(_ id: Int, _ quality: StreamQuality) -> StreamHub? {
        memory.isStandby ? nil : channel(id)?.hub(quality)
    }

    /// What viewers have set.
    var memory: DeviceMemory { currentMemory.withLock { $0 } }

    /// Before the first `apply`.
    func setMemory(_ memory: DeviceMemory) { currentMemory.withLock { $0 = memory } }

    /// Privacy: cameras and microphones are let go, and every stream ends. Blocks.
    func setStandby(_ isStandby: Bool) {
        changing.withLock { state in
            guard !state.isClosed, memory.isStandby != isStandby else { return }
            if isStandby {
                // First, so that nothing begins any more.
                currentMemory.withLock { $0.isStandby = true }
                stop(entries.withLock { $0.map(\.channel) })
            } else {
                // Those that were stopped do not run again; others take their places.
                entries.withLock { $0 = [] }
                change(to: state.configurations, starting: true)
                currentMemory.withLock { $0.isStandby = false }
            }
        }
    }

    func turn(_ orientation: PictureOrientation, channel id: Int) {
        currentMemory.withLock { $0.set(orientation, channel: id) }
        channel(id)?.turn(orientation)
    }

    /// Makes the running channels those of `configurations`, in their order. What is configured as before is not
    /// touched. Blocks.
    /// - Returns: how many channels were stopped and how many started.
    @discardableResult
    func apply(_ configurations: [ChannelConfiguration]) -> (stopped: Int, started: Int) {
        changing.withLock { state in
            guard !state.isClosed else { return (0, 0) }
            state.configurations = configurations
            return change(to: configurations, starting: !memory.isStandby)
        }
    }

    @discardableResult
    private func change(
        to configurations: [ChannelConfiguration], starting: Bool
    ) -> (stopped: Int, started: Int) {
        let old = entries.withLock { $0 }
        let kept = old.filter { configurations.contains($0.configuration) }
        let leaving = old.filter { !configurations.contains($0.configuration) }
        entries.withLock { $0 = kept }
        stop(leaving.map(\.channel))

        let new = configurations.filter { configuration in
            !kept.contains { $0.configuration == configuration }
        }
        // Devices of channels that left are free now.
        // In privacy mode no device is opened, not even to see whether it works.
        let settings =
            starting
            ? SourceResolver(logger: logger).resolve(new, running: kept.map(\.channel.settings)) : new.map(\.settings)
        let started = zip(new, settings).map { configuration, settings in
            let channel = CameraChannel(
                settings: settings, orientation: memory.orientation(of: settings.id),
                audioProcessor: audioProcessor(settings), clock: clock, logger: logger,
                onDeviceChange: onDeviceChange)
            return Entry(
                configuration: configuration, channel: channel, viewable: Self.viewable(channel))
        }
        let all = kept + started
        entries.withLock { entries in
            entries = configurations.compactMap { configuration in
                all.first { $0.configuration == configuration }
            }
        }
        for entry in started { if starting { entry.channel.start() } else { entry.channel.stop() } }
        return (leaving.count, started.count)
    }

    /// Ends all channels, for good. Blocks for about a second at most.
    func stopAll() {
        changing.withLock { state in
            state.isClosed = true
            let channels = entries.withLock { entries in
                defer { entries = [] }
                return entries.map(\.channel)
            }
            stop(channels)
        }
    }

    /// All at once, since each may take its time.
    private func stop(_ channels: [CameraChannel]) {
        let threads = channels.map { channel in
            MediaThread(name: "stop\(channel.settings.id)") { channel.stop() }
        }
        let deadline = clock.now() + CameraChannel.stopTimeout + .milliseconds(200)
        for thread in threads { _ = thread.join(timeout: deadline - clock.now()) }
    }

    private static func viewable(_ channel: CameraChannel) -> ViewableChannel {
        var hubs: [StreamQuality: StreamHub] = [:]
        var pictures: [StreamQuality: PictureFeed] = [:]
        for quality in StreamQuality.allCases {
            hubs[quality] = channel.hub(quality)
            pictures[quality] = channel.pictures(quality)
        }
        let settings = channel.settings
        return ViewableChannel(
            id: settings.id, name: settings.name, hasVideo: settings.hasVideo, hasAudio: settings.hasAudio, hubs: hubs,
            pictures: pictures)
    }
}
