import Codecs
import DequeModule
import Devices
import Imaging
import Logging
import Media

/// A picture on its way to the encoders, and when it had come how far.
struct WaitingVideo: Sendable {
    var video: CapturedVideo
    /// Out of the driver.
    var taken: MediaTime
    /// Ready to be encoded.
    var prepared: MediaTime
}

/// Encodes one stream of a channel, on a thread of its own, while somebody wants it. When the camera is silent it
/// encodes a "no signal" picture instead, so that consumers stay.
final class VideoStreamEncoder: StreamControl {
    let quality: StreamQuality
    let hub: StreamHub
    private let settings: VideoEncoderSettings
    private let channelName: String
    private let font: String?
    private let linger: MediaTime
    private let clock: any MediaClock
    private let logger: Logger
    private let signal: CameraSignal
    private let monitor = Monitor(State())

    private struct State {
        var demand = StreamDemand()
        var inbox: Deque<WaitingVideo> = []
        var lostUnit = false
        var isStopped = false
        var isEncoding = false
        var overruns = 0
        var targetBitrate = 0
        var stages = StageMeter()
        var encodeTimes = EncodeHistogram()
    }

    /// Pictures that may wait for the encoder. One is being encoded and one waits: more would only be delay.
    static let maximumPictures = 2
    /// Access units of a camera that encodes itself: small, and none may be lost.
    static let maximumUnits = 64

    init(
        quality: StreamQuality, hub: StreamHub, settings: VideoEncoderSettings, channel: ChannelSettings,
        signal: CameraSignal, clock: any MediaClock, logger: Logger
    ) {
        self.quality = quality
        self.hub = hub
        self.settings = settings
        self.signal = signal
        self.clock = clock
        channelName = channel.name
        font = channel.overlay?.font
        linger = MediaTime(nanoseconds: Int64(channel.linger * 1e9))
        var logger = logger
        logger[metadataKey: "stream"] = "\(quality.rawValue)"
        self.logger = logger
        hub.setControl(self)
    }

    // MARK: From any thread

    func demandChanged(_ isWanted: Bool) {
        let now = clock.now()
        monitor.withLock { $0.demand.setWanted(isWanted, now: now) }
        monitor.notify()
    }

    func requestKeyFrame() { monitor.withLock { $0.demand.requestKeyFrame() } }

    func setBitrateCeiling(_ bitsPerSecond: Int?, for consumer: UInt64) {
        monitor.withLock { $0.demand.setCeiling(bitsPerSecond, for: consumer) }
    }

    /// Whether a picture would be encoded.
    var isActive: Bool {
        let now = clock.now()
        return monitor.withLock { $0.demand.isActive(now: now, linger: linger) }
    }

    var status: StreamStatus {
        let state = monitor.withLock { ($0.isEncoding, $0.overruns, $0.targetBitrate, $0.encodeTimes) }
        return StreamStatus(
            quality: quality, isEncoding: state.0, size: settings.size, overruns: state.1, targetBitrate: state.2,
            statistics: hub.statistics, encodeTimes: state.3)
    }

    /// Where the last pictures' time went.
    var stages: [StageTimes] { monitor.withLock { $0.stages.times } + hub.deliveryTimes }

    /// From the capturing thread. Where the encoder lags, the oldest picture is let go and counted.
    func put(_ waiting: WaitingVideo) {
        monitor.withLock { state in
            let isUnit = if case .h264 = waiting.video { true } else { false }
            if state.inbox.count >= (isUnit ? Self.maximumUnits : Self.maximumPictures) {
                state.inbox.removeFirst()
                state.overruns += 1
                state.lostUnit = isUnit
            }
            state.inbox.append(waiting)
        }
        monitor.notify()
    }

    func stop() {
        monitor.withLock { $0.isStopped = true }
        monitor.notify()
    }

    // MARK: On the encoder's thread

    func run() {
        while waitForDemand() {
            monitor.withLock { $0.isEncoding = true }
            encodeWhileWanted()
            monitor.withLock { state in
                state.isEncoding = false
                state.inbox.removeAll()
            }
            hub.encodingStopped()
        }
    }

    /// False when it is time to end.
    private func waitForDemand() -> Bool {
        while true {
            let wanted: Bool? = monitor.wait(until: clock.now() + .seconds(60)) { state in
                state.isStopped ? false : state.demand.isWanted ? true : nil
            }
            if let wanted { return wanted }
        }
    }

    private enum Next {
        case video(WaitingVideo, lostUnit: Bool)
        case noSignal
        case end
    }

    private func encodeWhileWanted() {
        var encoding = Encoding()
        encoding.silentSince = clock.now()
        do {
            while true {
                switch next(encoding) {
                case .end: return
                case .video(let waiting, let lost):
                    encoding.silentSince = clock.now()
                    switch waiting.video {
                    case .h264(let unit):
                        if lost { encoding.camera.waitsForKey = true }
                        encoding.showsSignal = true
                        pass(unit, &encoding)
                    case .picture(let picture):
                        let begun = clock.now()
                        if let encoded = try encode(picture, isSignal: true, &encoding) {
                            count(waiting, begun: begun, encoded: encoded)
                        }
                    // Converted by the capturing thread before they come here.
                    case .raw: break
                    }
                case .noSignal:
                    let stand = encoding.noSignal ?? NoSignalPicture(size: settings.size, name: channelName, font: font)
                    encoding.noSignal = stand
                    encoding.nextStandIn =
                        clock.now() + MediaTime(nanoseconds: Int64(1e9 / NoSignalPicture.frameRate))
                    if let picture = stand.draw(time: clock.now(), since: signal.lostAt, now: WallClock.now) {
                        _ = try encode(picture, isSignal: false, &encoding)
                    }
                }
            }
        } catch {
            logger.error("encoding failed; trying again in a second", metadata: ["error": "\(error)"])
            _ = monitor.wait(until: clock.now() + .seconds(1)) { $0.isStopped ? true : nil }
        }
    }

    /// What one run of encoding keeps.
    private struct Encoding {
        var encoder: X264Encoder?
        var camera = CameraH264()
        var scaled: PicturePool?
        var noSignal: NoSignalPicture?
        var nextStandIn = MediaTime.zero
        var silentSince = MediaTime.zero
        var showsSignal = true
        var lastTime: MediaTime?
        var lastKey: MediaTime?
        var bitrate = 0
    }

    private func next(_ encoding: Encoding) -> Next {
        while true {
            let now = clock.now()
            // A camera known to be away is not waited for; a running one may pause a little.
            let silence = signal.isRunning ? encoding.silentSince + signal.stallLimit : now
            let deadline = max(silence, encoding.nextStandIn)
            let found: Next? = monitor.wait(until: min(deadline, now + .seconds(1))) { state in
                if state.isStopped || !state.demand.isActive(now: clock.now(), linger: linger) { return .end }
                guard let video = state.inbox.popFirst() else { return nil }
                defer { state.lostUnit = false }
                return .video(video, lostUnit: state.lostUnit)
            }
            if let found { return found }
            if clock.now() >= deadline { return .noSignal }
        }
    }

    /// - Returns: when it was encoded, before others had it; nil where no frame came of it.
    private func encode(
        _ picture: Picture, isSignal: Bool, _ encoding: inout Encoding
    ) throws(CodecError) -> MediaTime? {
        // Time never goes back, also not from a stand-in to the camera's own stamps.
        if let last = encoding.lastTime, picture.time <= last { return nil }
        guard let fitting = fit(picture, &encoding) else { return nil }
        let encoder: X264Encoder
        if let open = encoding.encoder {
            encoder = open
        } else {
            encoder = try X264Encoder(settings)
            encoding.encoder = encoder
            hub.setFormat(video: encoder.format)
        }
        try follow(&encoding, encoder)
        let changed = isSignal != encoding.showsSignal
        encoding.showsSignal = isSignal
        // x264 counts pictures; where they come more slowly than configured, time decides.
        let isDue = encoding.lastKey.map { (picture.time - $0).seconds >= settings.keyFrameInterval } ?? false
        let force = monitor.withLock { $0.demand.takeKeyFrameRequest(time: picture.time) } || changed || isDue
        encoding.lastTime = picture.time
        guard let frame = try encoder.encode(fitting, forceKeyFrame: force) else { return nil }
        let encoded = clock.now()
        if frame.isKey {
            encoding.lastKey = picture.time
            monitor.withLock { $0.demand.keyFrameMade(time: frame.time) }
        }
        hub.publish(TaggedFrame(frame))
        return encoded
    }

    private func count(_ waiting: WaitingVideo, begun: MediaTime, encoded: MediaTime) {
        let published = clock.now()
        monitor.withLock { state in
            state.stages.add(.camera, waiting.taken - waiting.video.time)
            state.stages.add(.prepare, waiting.prepared - waiting.taken)
            state.stages.add(.wait, begun - waiting.prepared)
            state.stages.add(.encode, encoded - begun)
            state.stages.add(.publish, published - encoded)
            state.encodeTimes.add(encoded - begun)
        }
    }

    /// The bitrate that consumers' paths allow.
    private func follow(_ encoding: inout Encoding, _ encoder: X264Encoder) throws(CodecError) {
        guard case .bitrate(let configured) = settings.rateControl else { return }
        let bitrate = monitor.withLock { state in
            state.targetBitrate = state.demand.bitrate(configured: configured)
            return state.targetBitrate
        }
        if encoding.bitrate != 0, encoding.bitrate != bitrate { try encoder.setBitrate(bitrate) }
        encoding.bitrate = bitrate
    }

    private func fit(_ picture: Picture, _ encoding: inout Encoding) -> Picture? {
        guard picture.size != settings.size else { return picture }
        let pool: PicturePool
        if let known = encoding.scaled, known.format == picture.format {
            pool = known
        } else {
            pool = PicturePool(size: settings.size, format: picture.format)
            encoding.scaled = pool
        }
        guard let target = pool.take(time: picture.time), PictureConverter.scale(picture, into: target) else {
            return nil
        }
        return target
    }

    private func pass(_ unit: CameraAccessUnit, _ encoding: inout Encoding) {
        if let last = encoding.lastTime, unit.time <= last { return }
        // Back from the stand-in, whose pictures these do not follow.
        if encoding.encoder != nil {
            encoding.encoder = nil
            encoding.camera = CameraH264()
        }
        guard let frame = encoding.camera.package(unit, frameRate: settings.frameRate) else { return }
        if frame.isKey, let format = encoding.camera.format { hub.setFormat(video: format) }
        encoding.lastTime = unit.time
        hub.publish(TaggedFrame(frame))
    }
}
