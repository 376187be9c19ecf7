import Codecs
import Devices
import Imaging
import Logging
import Media

/// One camera and one microphone, the streams made of them, and the hubs where these can be had.
///
/// Owns the threads that capture and encode. All functions may be called from any thread; `stop` blocks until the
/// threads have ended, a second at most.
package final class CameraChannel: Sendable {
    package let settings: ChannelSettings
    private let hubs: [StreamQuality: StreamHub]
    private let encoders: [VideoStreamEncoder]
    private let video: VideoCapture?
    private let audio: AudioCapture?
    private let camera: DeviceReporter
    private let microphone: DeviceReporter
    private let signal = CameraSignal()
    private let clock: any MediaClock
    private let logger: Logger
    private let threads = Monitor<[MediaThread]>([])

    /// Threads end within this time, or are left to themselves.
    package static let stopTimeout = MediaTime.seconds(1)
    /// A snapshot waits this long for a picture.
    package static let snapshotTimeout = MediaTime.seconds(3)

    /// - Parameter audioProcessor: what the microphone's sound goes through before it is encoded.
    package init(
        settings: ChannelSettings, audioProcessor: (any AudioProcessor)? = nil,
        clock: any MediaClock = SystemMediaClock(), logger: Logger,
        onDeviceChange: @escaping @Sendable (DeviceEvent) -> Void = { _ in }
    ) {
        self.settings = settings
        self.clock = clock
        var logger = logger
        logger[metadataKey: "channel"] = "\(settings.id)"
        self.logger = logger
        var hubs: [StreamQuality: StreamHub] = [:]
        var encoders: [VideoStreamEncoder] = []
        let streams = [(StreamQuality.main, Optional(settings.main)), (.sub, settings.hasVideo ? settings.sub : nil)]
        for (quality, stream) in streams {
            guard let stream else { continue }
            let hub = StreamHub(
                name: "\(settings.id)/\(quality.rawValue)", hasVideo: settings.hasVideo, hasAudio: settings.hasAudio)
            hubs[quality] = hub
            guard settings.hasVideo else { continue }
            encoders.append(
                VideoStreamEncoder(
                    quality: quality, hub: hub, settings: stream, channel: settings, signal: signal, clock: clock,
                    logger: logger))
        }
        self.hubs = hubs
        self.encoders = encoders
        camera = DeviceReporter(
            channel: settings.id, kind: .camera, isPresent: settings.hasVideo, clock: clock, logger: logger,
            onChange: onDeviceChange)
        microphone = DeviceReporter(
            channel: settings.id, kind: .microphone, isPresent: settings.hasAudio, clock: clock, logger: logger,
            onChange: onDeviceChange)
        video =
            settings.hasVideo
            ? VideoCapture(
                settings: settings, encoders: encoders, signal: signal, reporter: camera, clock: clock, logger: logger)
            : nil
        audio =
            settings.hasAudio
            ? AudioCapture(
                settings: settings, hubs: Array(hubs.values), processor: audioProcessor, reporter: microphone,
                clock: clock, logger: logger)
            : nil
    }

    /// Once.
    package func start() {
        let id = settings.id
        var started = encoders.map { encoder in
            MediaThread(name: "enc\(id)-\(encoder.quality.rawValue)") { encoder.run() }
        }
        if let video { started.append(MediaThread(name: "cam\(id)") { video.run() }) }
        if let audio { started.append(MediaThread(name: "mic\(id)") { audio.run() }) }
        threads.withLock { $0 = started }
    }

    /// Ends capturing and encoding, and the stream for all subscribers. Blocks; not to be called on an event loop.
    package func stop() {
        video?.stop()
        audio?.stop()
        for encoder in encoders { encoder.stop() }
        let deadline = clock.now() + Self.stopTimeout
        for thread in threads.withLock({ $0 }) where !thread.join(timeout: deadline - clock.now()) {
            logger.error("a thread is stuck in a device or an encoder and is left to itself")
        }
        for hub in hubs.values { hub.close() }
    }

    /// Nil where the channel has no such stream.
    package func hub(_ quality: StreamQuality) -> StreamHub? { hubs[quality] }

    package func status() -> ChannelStatus {
        ChannelStatus(
            id: settings.id, name: settings.name, camera: camera.status, microphone: microphone.status,
            streams: encoders.map(\.status))
    }

    /// The next picture as JPEG; the "no signal" picture where the camera gives none. Nil where the channel has no
    /// pictures.
    package func snapshot(_ quality: StreamQuality) async -> [UInt8]? {
        guard let video, let stream = quality == .main ? settings.main : settings.sub else { return nil }
        let (name, font, clock, signal) = (settings.name, settings.overlay?.font, self.clock, self.signal)
        return await MediaThread.run(name: "snapshot") {
            let slot = Monitor<Picture?>(nil)
            video.onNextPicture { picture in
                slot.withLock { $0 = picture }
                slot.notify()
            }
            let timeout = signal.isRunning ? Self.snapshotTimeout : .zero
            let picture =
                slot.wait(until: clock.now() + timeout) { $0 }
                ?? NoSignalPicture(size: stream.size, name: name, font: font)
                .draw(time: clock.now(), since: signal.lostAt, now: WallClock.now)
            guard let picture else { return nil }
            guard picture.size != stream.size else { return try? JPEGEncoder.encode(picture) }
            let scaled = PicturePool(size: stream.size, format: picture.format, limit: 1).take(time: picture.time)
            guard let scaled, PictureConverter.scale(picture, into: scaled) else { return nil }
            return try? JPEGEncoder.encode(scaled)
        }
    }
}
