import Devices
import Imaging
import Logging
import Media

/// Takes pictures from a channel's camera, on a thread of its own, and hands them to the encoders that want them. A
/// camera that stalls or goes away is looked for again, for ever.
final class VideoCapture: Sendable {
    private let settings: ChannelSettings
    private let encoders: [VideoStreamEncoder]
    private let signal: CameraSignal
    private let reporter: DeviceReporter
    private let clock: any MediaClock
    private let logger: Logger
    private let monitor: Monitor<State>

    private struct State {
        var shift = CaptureShift()
        var orientation: PictureOrientation
        /// Those who wait for a picture to look at.
        var viewers: [@Sendable (Picture) -> Void] = []
        /// Those who want to know what the camera sees, without the text that is drawn in.
        var lookers: [@Sendable (PictureLook) -> Void] = []
    }

    /// Of either kind; more get no picture.
    static let maximumWaiting = 16

    /// No wait on a device is longer, so stopping always works.
    static let poll = MediaTime.milliseconds(100)
    /// A device gets this long for its first picture.
    static let firstPicture = MediaTime.seconds(3)

    init(
        settings: ChannelSettings, encoders: [VideoStreamEncoder], signal: CameraSignal, reporter: DeviceReporter,
        orientation: PictureOrientation, clock: any MediaClock, logger: Logger
    ) {
        monitor = Monitor(State(orientation: orientation))
        self.settings = settings
        self.encoders = encoders
        self.signal = signal
        self.reporter = reporter
        self.clock = clock
        self.logger = logger
    }

    func stop() {
        monitor.withLock { $0.shift.stop() }
        monitor.notify()
    }

    /// `body` gets the next picture, on the capturing thread, which it must not hold up.
    func onNextPicture(_ body: @escaping @Sendable (Picture) -> Void) {
        monitor.withLock { if $0.viewers.count < Self.maximumWaiting { $0.viewers.append(body) } }
    }

    /// `body` gets what the next picture looks like, likewise. A camera that encodes itself gives none.
    func onNextLook(_ body: @escaping @Sendable (PictureLook) -> Void) {
        monitor.withLock { state in
            // While the camera is away nobody takes them; the newest ones count.
            if state.lookers.count == Self.maximumWaiting { state.lookers.removeFirst() }
            state.lookers.append(body)
        }
    }

    /// From the next picture on.
    func turn(_ orientation: PictureOrientation) { monitor.withLock { $0.orientation = orientation } }

    /// The number of the thread that is to run instead, where the one before hangs in its driver.
    func relieve() -> Int? {
        let now = clock.now()
        guard let shift = monitor.withLock({ $0.shift.relieve(now: now) }) else { return nil }
        signal.lost()
        reporter.hangs(after: CaptureShift.patience)
        return shift
    }

    /// - Parameter shift: 0, or what `relieve` gave.
    func run(shift: Int = 0) {
        defer { monitor.withLock { $0.shift.ended(shift) } }
        var opener = CameraOpener(settings: settings.camera, name: settings.name, passThrough: false)
        var backoff = DeviceBackoff()
        while isOn(shift) {
            var device: String?
            var isRunning = false
            do {
                opener.passThrough = Self.passesThrough(settings, orientation)
                let (source, name) = try opener.open()
                device = name
                try capture(source, device: name, shift: shift, passesThrough: opener.passThrough) {
                    isRunning = true
                    backoff.reset()
                }
            } catch {
                guard isOn(shift) else { return }
                signal.lost()
                reporter.failed(error, device: device ?? error.device, wasRunning: isRunning)
                let pause = backoff.next()
                _ = monitor.wait(until: clock.now() + pause) { $0.shift.isOver(shift) ? true : nil }
            }
        }
        guard monitor.withLock({ $0.shift.number == shift }) else { return }
        signal.lost()
        reporter.stopped()
    }

    /// Also tells that the thread gets on.
    private func isOn(_ shift: Int) -> Bool {
        let now = clock.now()
        return monitor.withLock { state in
            state.shift.turn(shift, now: now)
            return !state.shift.isOver(shift)
        }
    }

    private var orientation: PictureOrientation { monitor.withLock { $0.orientation } }

    /// Whether the camera's own H.264 can be passed on: nothing is to be done to the picture.
    private static func passesThrough(_ settings: ChannelSettings, _ orientation: PictureOrientation) -> Bool {
        settings.sub == nil && settings.overlay == nil && orientation == .normal
    }

    /// Until told to stop, or the camera is to be opened differently; a device that fails or stalls throws.
    private func capture(
        _ source: any VideoSource, device: String, shift: Int, passesThrough: Bool, onFirst: () -> Void
    ) throws(DeviceError) {
        var preparer = PicturePreparer(settings, logger: logger)
        var last = clock.now()
        var limit = Self.firstPicture
        var isFirst = true
        let droppedBefore = reporter.status.dropped
        while isOn(shift) {
            preparer.orientation = orientation
            guard passesThrough == Self.passesThrough(settings, preparer.orientation) else { return }
            guard let video = try source.next(timeout: Self.poll) else {
                // No frame for several intervals: the stall is the truth, whatever the kernel says.
                if clock.now() - last > limit {
                    throw DeviceError(
                        .lost, device: device, action: "waiting for a picture",
                        reason: "none for \(limit.milliseconds) ms")
                }
                continue
            }
            // Meanwhile another may have taken its place.
            guard isOn(shift) else { return }
            last = clock.now()
            if isFirst {
                isFirst = false
                onFirst()
                signal.started(interval: source.interval)
                limit = signal.stallLimit
                reporter.running(device: device, detail: source.detail, warnings: source.warnings)
            }
            reporter.update { status in
                status.captured += 1
                status.dropped = droppedBefore + source.dropped
            }
            hand(video, preparer: &preparer)
        }
    }

    private func hand(_ video: CapturedVideo, preparer: inout PicturePreparer) {
        let taken = clock.now()
        let (viewers, lookers) = monitor.withLock { state in
            defer { (state.viewers, state.lookers) = ([], []) }
            return (state.viewers, state.lookers)
        }
        let active = encoders.filter(\.isActive)
        guard !active.isEmpty || !viewers.isEmpty || !lookers.isEmpty else { return }
        let prepared = preparer.prepare(video) { plain in
            guard !lookers.isEmpty else { return }
            let look = PictureLook(plain)
            for looker in lookers { looker(look) }
        }
        guard let prepared else { return }
        let waiting = WaitingVideo(video: prepared, taken: taken, prepared: clock.now())
        for encoder in active { encoder.put(waiting) }
        if case .picture(let picture) = prepared {
            for viewer in viewers { viewer(picture) }
        }
    }
}

/// Makes a captured picture ready for encoders: converted once for all of them, with the channel's text in it.
private struct PicturePreparer {
    var orientation = PictureOrientation.normal
    private var pool: PicturePool?
    /// For turned pictures.
    private var turned: PicturePool?
    private var overlay: TextOverlay?
    private var overlayHeight = 0
    private let settings: ChannelSettings
    private let logger: Logger

    init(_ settings: ChannelSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// - Parameter look: sees the picture before text is drawn into it.
    mutating func prepare(_ video: CapturedVideo, look: (Picture) -> Void) -> CapturedVideo? {
        var picture: Picture
        switch video {
        case .h264: return video
        case .picture(let ready): picture = ready
        case .raw(let raw):
            if pool?.size != raw.size { pool = PicturePool(size: raw.size) }
            guard let pool, let converted = raw.converted(with: pool) else { return nil }
            picture = converted
        }
        if orientation != .normal {
            guard let upright = turn(picture) else { return nil }
            picture = upright
        }
        look(picture)
        if let settings = settings.overlay { draw(settings, into: picture) }
        return .picture(picture)
    }

    private mutating func turn(_ picture: Picture) -> Picture? {
        if turned?.size != picture.size || turned?.format != picture.format {
            turned = PicturePool(size: picture.size, format: picture.format)
        }
        guard let target = turned?.take(time: picture.time),
            PictureConverter.turn(picture, orientation, into: target)
        else { return nil }
        return target
    }

    private mutating func draw(_ wanted: OverlaySettings, into picture: Picture) {
        if overlayHeight != picture.size.height {
            overlayHeight = picture.size.height
            do {
                overlay = try TextOverlay(wanted, name: settings.name, pictureHeight: overlayHeight)
            } catch {
                logger.warning("pictures go without their text", metadata: ["reason": "\(error)"])
            }
        }
        overlay?.draw(into: picture)
    }
}
