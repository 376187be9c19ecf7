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
    /// Take single pictures, in the size of each stream.
    private let cameras: [StreamQuality: PictureTaker]
    private let pictures: [StreamQuality: PictureFeed]
    private let clock: any MediaClock
    private let logger: Logger
    private let threads = Monitor<[MediaThread]>([])

    /// Threads end within this time, or are left to themselves.
    package static let stopTimeout = MediaTime.seconds(1)

    /// - Parameter audioProcessor: what the microphone's sound goes through before it is encoded.
    package init(
        settings: ChannelSettings, orientation: PictureOrientation = .normal,
        audioProcessor: (any AudioProcessor)? = nil,
        clock: any MediaClock = SystemMediaClock(), logger: Logger,
        onDeviceChange: @escaping @Sendable (DeviceEvent) -> Void = { _ in }
    ) {
        self.settings = settings
        self.clock = clock
        var logger = logger
        logger[metadataKey: "channel"] = "\(settings.id)"
        self.logger = logger
        let signal = CameraSignal()
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
                settings: settings, encoders: encoders, signal: signal, reporter: camera, orientation: orientation,
                clock: clock, logger: logger)
            : nil
        audio =
            settings.hasAudio
            ? AudioCapture(
                settings: settings, hubs: Array(hubs.values), processor: audioProcessor, reporter: microphone,
                clock: clock, logger: logger)
            : nil
        var cameras: [StreamQuality: PictureTaker] = [:]
        for (quality, stream) in streams {
            guard let video, let stream else { continue }
            cameras[quality] = PictureTaker(
                size: stream.size, settings: settings, video: video, signal: signal, clock: clock)
        }
        self.cameras = cameras
        pictures = Dictionary(
            uniqueKeysWithValues: cameras.map { quality, camera in
                (
                    quality,
                    PictureFeed(name: "jpeg\(settings.id)-\(quality.rawValue)", clock: clock) { camera.take() }
                )
            })
    }

    /// Once.
    package func start() {
        let id = settings.id
        var started = encoders.map { encoder in
            MediaThread(name: "enc\(id)-\(encoder.quality.rawValue)") { encoder.run() }
        }
        if let video { started.append(MediaThread(name: "cam\(id)") { video.run() }) }
        if let audio { started.append(MediaThread(name: "mic\(id)", isUrgent: true) { audio.run() }) }
        threads.withLock { $0 = started }
    }

    /// Where a driver holds a thread, another takes its place; viewers see the "no signal" picture meanwhile. To be
    /// called every few seconds.
    package func relieveHeldThreads() {
        let id = settings.id
        if let video, let shift = video.relieve() {
            let thread = MediaThread(name: "cam\(id)") { video.run(shift: shift) }
            add(thread)
        }
        if let audio, let shift = audio.relieve() {
            let thread = MediaThread(name: "mic\(id)", isUrgent: true) { audio.run(shift: shift) }
            add(thread)
        }
    }

    private func add(_ thread: MediaThread) {
        threads.withLock { threads in
            threads.removeAll(where: \.hasEnded)
            threads.append(thread)
        }
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
        for feed in pictures.values { feed.close() }
    }

    /// From the next picture on.
    package func turn(_ orientation: PictureOrientation) { video?.turn(orientation) }

    /// Nil where the channel has no such stream.
    package func hub(_ quality: StreamQuality) -> StreamHub? { hubs[quality] }

    package func status() -> ChannelStatus {
        ChannelStatus(
            id: settings.id, name: settings.name, camera: camera.status, microphone: microphone.status,
            streams: encoders.map(\.status))
    }

    /// Where the time of a stream's last pictures went; nil where the channel has no such stream.
    package func stages(_ quality: StreamQuality) -> [StageTimes]? {
        encoders.first { $0.quality == quality }?.stages
    }

    /// What the camera sees, without the text that is drawn in: `count` looks, spread over `span`. Fewer where it gives
    /// no pictures, or encodes itself. Blocks for that long.
    package func looks(_ count: Int, over span: MediaTime) -> [PictureLook] {
        guard let video else { return [] }
        let start = clock.now()
        let looks = Monitor<[PictureLook]>([])
        for number in 1...max(count, 1) {
            video.onNextLook { look in
                looks.withLock { $0.append(look) }
                looks.notify()
            }
            let due = start + MediaTime(nanoseconds: span.nanoseconds * Int64(number) / Int64(max(count, 1)))
            // Until it is time for the next one, also where this one has come.
            _ = looks.wait(until: due) { _ in nil as Bool? }
        }
        return looks.withLock { $0 }
    }

    /// Nil where the channel has no such pictures.
    package func pictures(_ quality: StreamQuality) -> PictureFeed? { pictures[quality] }

    /// The next picture as JPEG; the "no signal" picture where the camera gives none. Nil where the channel has no
    /// pictures.
    package func snapshot(_ quality: StreamQuality) async -> [UInt8]? {
        guard let camera = cameras[quality] else { return nil }
        return await MediaThread.run(name: "snapshot") { camera.take() }
    }
}
