import Configuration
import Logging
import Media
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

    private let entries = Mutex<[Entry]>([])
    /// Held while channels are changed; true once all are stopped for good.
    private let isClosed = Mutex(false)
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
    var statuses: [ChannelStatus] { entries.withLock { $0.map(\.channel) }.map { $0.status() } }

    func channel(_ id: Int) -> CameraChannel? {
        entries.withLock { entries in entries.first { $0.channel.settings.id == id }?.channel }
    }

    func hub(_ id: Int, _ quality: StreamQuality) -> StreamHub? { channel(id)?.hub(quality) }

    /// Makes the running channels those of `configurations`, in their order. What is configured as before is not
    /// touched. Blocks.
    /// - Returns: how many channels were stopped and how many started.
    @discardableResult
    func apply(_ configurations: [ChannelConfiguration]) -> (stopped: Int, started: Int) {
        isClosed.withLock { isClosed in isClosed ? (0, 0) : change(to: configurations) }
    }

    private func change(to configurations: [ChannelConfiguration]) -> (stopped: Int, started: Int) {
        let old = entries.withLock { $0 }
        let kept = old.filter { configurations.contains($0.configuration) }
        let leaving = old.filter { !configurations.contains($0.configuration) }
        entries.withLock { $0 = kept }
        stop(leaving.map(\.channel))

        let new = configurations.filter { configuration in
            !kept.contains { $0.configuration == configuration }
        }
        // Devices of channels that left are free now.
        let settings = SourceResolver(logger: logger).resolve(new, running: kept.map(\.channel.settings))
        let started = zip(new, settings).map { configuration, settings in
            let channel = CameraChannel(
                settings: settings, audioProcessor: audioProcessor(settings), clock: clock, logger: logger,
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
        for entry in started { entry.channel.start() }
        return (leaving.count, started.count)
    }

    /// Ends all channels, for good. Blocks for about a second at most.
    func stopAll() {
        isClosed.withLock { isClosed in
            isClosed = true
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
        for quality in StreamQuality.allCases { hubs[quality] = channel.hub(quality) }
        let settings = channel.settings
        return ViewableChannel(
            id: settings.id, name: settings.name, hasVideo: settings.hasVideo, hasAudio: settings.hasAudio, hubs: hubs)
    }
}
