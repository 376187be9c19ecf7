import Codecs
import Devices
import Logging
import Media

/// Takes sound from a channel's microphone, lays it on the monotonic clock, encodes it once and hands it to the hubs of
/// all the channel's streams; all on a thread of its own. A microphone that is away leaves silence, not a hole.
final class AudioCapture: Sendable {
    private let settings: ChannelSettings
    private let hubs: [StreamHub]
    private let processor: (any AudioProcessor)?
    private let reporter: DeviceReporter
    private let clock: any MediaClock
    private let logger: Logger
    private let monitor = Monitor(CaptureShift())

    /// How far sound may lag before silence takes its place. More than a driver's period, less than a viewer notices.
    static let patience = MediaTime.milliseconds(250)
    /// A microphone that gives nothing for this long is lost.
    static let stall = MediaTime.seconds(1)

    init(
        settings: ChannelSettings, hubs: [StreamHub], processor: (any AudioProcessor)?, reporter: DeviceReporter,
        clock: any MediaClock, logger: Logger
    ) {
        self.settings = settings
        self.hubs = hubs
        self.processor = processor
        self.reporter = reporter
        self.clock = clock
        self.logger = logger
    }

    func stop() {
        monitor.withLock { $0.stop() }
        monitor.notify()
    }

    /// The number of the thread that is to run instead, where the one before hangs in its driver.
    func relieve() -> Int? {
        let now = clock.now()
        guard let shift = monitor.withLock({ $0.relieve(now: now) }) else { return nil }
        reporter.hangs(after: CaptureShift.patience)
        return shift
    }

    /// Also tells that the thread gets on.
    private func isOn(_ shift: Int) -> Bool {
        let now = clock.now()
        return monitor.withLock { state in
            state.turn(shift, now: now)
            return !state.isOver(shift)
        }
    }

    /// - Parameter shift: 0, or what `relieve` gave.
    func run(shift: Int = 0) {
        defer { monitor.withLock { $0.ended(shift) } }
        let opener = MicrophoneOpener(settings: settings.microphone)
        var backoff = DeviceBackoff()
        var track: AudioTrack
        do {
            track = try AudioTrack(settings, hubs: hubs)
        } catch {
            logger.error("the channel has no sound", metadata: ["error": "\(error)"])
            return
        }
        while isOn(shift) {
            var device: String?
            var isRunning = false
            do {
                let (source, name) = try opener.open()
                device = name
                try capture(source, device: name, shift: shift, track: &track) {
                    isRunning = true
                    backoff.reset()
                }
            } catch {
                guard isOn(shift) else { return }
                reporter.failed(error, device: device ?? error.device, wasRunning: isRunning)
                let until = clock.now() + backoff.next()
                while isOn(shift), clock.now() < until {
                    track.fill(upTo: clock.now() - Self.patience, reporter: reporter)
                    _ = monitor.wait(until: min(until, clock.now() + .milliseconds(50))) {
                        $0.isOver(shift) ? true : nil
                    }
                }
            }
        }
        if monitor.withLock({ $0.number == shift }) { reporter.stopped() }
    }

    private func capture(
        _ source: any AudioSource, device: String, shift: Int, track: inout AudioTrack, onFirst: () -> Void
    ) throws(DeviceError) {
        var last = clock.now()
        var isFirst = true
        var meter = SoundMeter(rate: settings.microphone.rate, channels: settings.microphone.channels)
        var overruns = 0
        let overrunsBefore = reporter.status.overruns
        while isOn(shift) {
            if var buffer = try source.read(timeout: VideoCapture.poll) {
                // Meanwhile another may have taken its place.
                guard isOn(shift) else { return }
                last = clock.now()
                if isFirst {
                    isFirst = false
                    onFirst()
                    reporter.running(device: device, detail: source.detail)
                }
                meter.add(buffer.samples)
                let level = meter.level
                reporter.update { $0.level = level }
                processor?.process(&buffer)
                track.push(buffer, reporter: reporter)
            } else {
                // An overrun means that the agent was held up, not the microphone.
                if source.overruns > overruns {
                    overruns = source.overruns
                    last = clock.now()
                    reporter.update { $0.overruns = overrunsBefore + overruns }
                }
                guard clock.now() - last <= Self.stall else {
                    throw DeviceError(
                        .lost, device: device, action: "waiting for sound",
                        reason: "none for \(Self.stall.milliseconds) ms")
                }
                track.fill(upTo: clock.now() - Self.patience, reporter: reporter)
            }
        }
    }
}

/// A channel's sound on its way from samples to frames.
private struct AudioTrack {
    private let hubs: [StreamHub]
    private let encoder: AACEncoder
    private let rate: Int
    private let channels: Int
    private var timeline: AudioTimeline?
    private var drift = 0.0
    private var silenceBefore: Int64 = 0

    init(_ settings: ChannelSettings, hubs: [StreamHub]) throws(CodecError) {
        self.hubs = hubs
        rate = settings.microphone.rate
        channels = settings.microphone.channels
        encoder = try AACEncoder(settings.audio)
        for hub in hubs { hub.setFormat(audio: encoder.format) }
    }

    mutating func push(_ buffer: SampleBuffer, reporter: DeviceReporter) {
        var timeline =
            self.timeline ?? AudioTimeline(rate: rate, channels: channels, origin: buffer.time, drift: drift)
        let samples = timeline.push(buffer)
        drift = timeline.driftPartsPerMillion
        self.timeline = timeline
        reporter.update { status in
            status.captured += buffer.count
            status.drift = drift
            status.silence = .samples(silenceBefore + timeline.silence, rate: rate)
        }
        encode(samples)
    }

    mutating func fill(upTo time: MediaTime, reporter: DeviceReporter) {
        // Before the first sample the time line begins with silence.
        var timeline = self.timeline ?? AudioTimeline(rate: rate, channels: channels, origin: time, drift: drift)
        let samples = timeline.fill(upTo: time)
        self.timeline = timeline
        reporter.update { $0.silence = .samples(silenceBefore + timeline.silence, rate: rate) }
        encode(samples)
    }

    private mutating func encode(_ samples: [Int16]) {
        guard let origin = timeline?.origin, !samples.isEmpty else { return }
        guard hubs.contains(where: { $0.subscriberCount > 0 }) else {
            // Nobody listens. The next listener's time line begins with the next sample.
            silenceBefore += timeline?.silence ?? 0
            timeline = nil
            encoder.reset()
            return
        }
        do {
            try encoder.encode(samples, time: origin) { frame in
                let packet = TaggedFrame(frame)
                for hub in hubs { hub.publish(packet) }
            }
        } catch {
            encoder.reset()
            timeline = nil
        }
    }
}
