import CALSA
import Glibc
import Media

/// A speaker behind ALSA: signed 16-bit mono samples. Belongs to one thread.
///
/// Holds `latency` of sound and no more, whatever the driver's buffer could hold. A device that takes everything at once
/// (the plug-ins `null` and `file`) is held to the rate by the monotonic clock.
package final class ALSASpeaker: AudioOutput {
    package let rate: Int
    package let latency: MediaTime
    package private(set) var underruns = 0

    private let pcm: ALSAPlayback
    private let clock: any MediaClock
    private var pace: PlaybackPace

    /// What is written at once.
    static let period = MediaTime.milliseconds(10)
    /// What the driver is asked to hold: enough for a busy machine to look after it in time.
    static let buffer = MediaTime.milliseconds(60)

    /// What takes longer than this was interrupted, and is tried again so many times.
    private static let moment = MediaTime.milliseconds(1)
    private static let attempts = 3

    /// Opens the device and starts to play silence.
    ///
    /// - Parameter rate: samples a second.
    package init(
        device: String, rate: Int, clock: any MediaClock = SystemMediaClock()
    ) throws(DeviceError) {
        self.rate = rate
        self.clock = clock
        pcm = try ALSAPlayback(device: device, rate: rate)
        latency = .samples(Int64(pcm.fill), rate: rate)
        pace = PlaybackPace(rate: rate)
        try start()
    }

    package var detail: String { "S16_LE \(rate) Hz mono" }

    /// Prepares, fills with silence, and starts: without the last, a device that ran dry would stay silent for ever.
    private func start() throws(DeviceError) {
        try pcm.prepare()
        pace = PlaybackPace(rate: rate)
        let silence = [Int16](repeating: 0, count: pcm.fill - pcm.period)
        let written = pcm.write(silence)
        guard written >= 0 else {
            throw DeviceError(.lost, device: pcm.device, action: "writing silence", errno: Int32(clamping: -written))
        }
        pace.wrote(written, at: clock.now())
        try pcm.start()
    }

    package func room(timeout: MediaTime) throws(DeviceError) -> Int {
        let deadline = clock.now() + timeout
        while true {
            let free = try freeFrames()
            if free >= pcm.period { return free }
            let now = clock.now()
            guard now < deadline else { return 0 }
            if pcm.holds(pcm.fill - pcm.period) {
                let code = pcm.wait(milliseconds: Int32(clamping: max((deadline - now).milliseconds, 1)))
                if code < 0 { try recover(code) }
            } else {
                // The device would take more, but not in time: our own clock says when.
                let pause = MediaTime.samples(Int64(pcm.period - free), rate: rate)
                _ = Pacer.wait(until: now + pause, timeout: deadline - now)
            }
        }
    }

    private func freeFrames() throws(DeviceError) -> Int {
        let available = pcm.available()
        guard available >= 0 else {
            try recover(Int32(clamping: available))
            return 0
        }
        return pcm.fill - max(pcm.capacity - available, pace.unplayed(at: clock.now()))
    }

    package func write(_ samples: [Int16]) throws(DeviceError) -> MediaTime {
        let (delay, now) = delayAndTime()
        let waiting = max(delay, pace.unplayed(at: now))
        let written = pcm.write(samples)
        if written < 0 { try recover(Int32(clamping: written)) } else { pace.wrote(written, at: now) }
        return now + .samples(Int64(waiting), rate: rate)
    }

    /// Both of the same moment, as far as the machine lets this thread run.
    private func delayAndTime() -> (Int, MediaTime) {
        var before = clock.now()
        var delay = pcm.delay()
        var after = clock.now()
        for _ in 0..<Self.attempts where after - before > Self.moment {
            before = after
            delay = pcm.delay()
            after = clock.now()
        }
        return (delay, after)
    }

    /// After it ran dry or slept with the machine. What else goes wrong is the end of it.
    private func recover(_ code: Int32) throws(DeviceError) {
        switch -code {
        case EAGAIN, EINTR, 0: return
        case EPIPE, ESTRPIPE:
            underruns += 1
            try start()
        default: throw DeviceError(.lost, device: pcm.device, action: "playing sound", errno: -code)
        }
    }
}

/// Owns an open ALSA playback device. The calls' meaning: alsa-lib, pcm.h.
private struct ALSAPlayback: ~Copyable {
    let device: String
    /// Frames: one period, what is to be held, and what could be held.
    let period: Int
    let fill: Int
    let capacity: Int
    private let pcm: OpaquePointer

    init(device: String, rate: Int) throws(DeviceError) {
        calsa_keep_silent()
        var handle: OpaquePointer?
        let code = snd_pcm_open(&handle, device, SND_PCM_STREAM_PLAYBACK, Int32(SND_PCM_NONBLOCK))
        guard code == 0, let handle else {
            throw DeviceError(.absent, device: device, action: "opening the speaker", errno: -code)
        }
        do throws(DeviceError) {
            (period, fill, capacity) = try Self.configure(handle, device: device, rate: rate)
        } catch {
            snd_pcm_close(handle)
            throw error
        }
        self.device = device
        pcm = handle
    }

    deinit {
        snd_pcm_drop(pcm)
        snd_pcm_close(pcm)
    }

    private static func require(_ code: Int32, _ device: String, _ action: String) throws(DeviceError) {
        guard code < 0 else { return }
        throw DeviceError(.unsupported, device: device, action: action, errno: -code)
    }

    private static func configure(
        _ pcm: OpaquePointer, device: String, rate: Int
    ) throws(DeviceError) -> (period: Int, fill: Int, capacity: Int) {
        var hardware: OpaquePointer?
        snd_pcm_hw_params_malloc(&hardware)
        defer { snd_pcm_hw_params_free(hardware) }
        try require(snd_pcm_hw_params_any(pcm, hardware), device, "asking what it can do")
        try require(
            snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED), device,
            "asking for interleaved samples")
        try require(
            snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S16_LE), device, "asking for 16-bit samples")
        try require(
            snd_pcm_hw_params_set_channels(pcm, hardware, 1), device,
            "asking for 1 channel (a device name beginning with plughw: converts)")
        try require(
            snd_pcm_hw_params_set_rate(pcm, hardware, UInt32(rate), 0), device,
            "asking for \(rate) Hz (a device name beginning with plughw: converts)")
        let wantedPeriod = Int(ALSASpeaker.period.ticks(rate: rate))
        let wanted = Int(ALSASpeaker.buffer.ticks(rate: rate))
        var period = snd_pcm_uframes_t(wantedPeriod)
        var buffer = snd_pcm_uframes_t(wanted)
        try require(
            snd_pcm_hw_params_set_period_size_near(pcm, hardware, &period, nil), device, "asking for a period")
        try require(snd_pcm_hw_params_set_buffer_size_near(pcm, hardware, &buffer), device, "asking for a buffer")
        try require(snd_pcm_hw_params(pcm, hardware), device, "setting it up")
        guard snd_pcm_hw_params_get_period_size(hardware, &period, nil) == 0,
            snd_pcm_hw_params_get_buffer_size(hardware, &buffer) == 0, period > 0, buffer >= 2 * period
        else {
            throw DeviceError(
                .unsupported, device: device, action: "setting it up", reason: "it holds less than two periods")
        }
        // A mixer's periods are its own; two of them must be there at any time.
        let fill = min(max(wanted, 2 * Int(period)), Int(buffer))
        try wakeWhen(pcm, device: device, available: Int(buffer) - fill + Int(period), capacity: Int(buffer))
        return (Int(period), fill, Int(buffer))
    }

    private static func wakeWhen(
        _ pcm: OpaquePointer, device: String, available: Int, capacity: Int
    ) throws(DeviceError) {
        var software: OpaquePointer?
        snd_pcm_sw_params_malloc(&software)
        defer { snd_pcm_sw_params_free(software) }
        try require(snd_pcm_sw_params_current(pcm, software), device, "asking how it wakes us")
        try require(
            snd_pcm_sw_params_set_avail_min(pcm, software, snd_pcm_uframes_t(available)), device,
            "asking to be woken once a period")
        // It starts when told to, not when so much is there.
        try require(
            snd_pcm_sw_params_set_start_threshold(pcm, software, snd_pcm_uframes_t(2 * capacity)), device,
            "asking to be started by hand")
        try require(snd_pcm_sw_params(pcm, software), device, "setting up how it wakes us")
    }

    func prepare() throws(DeviceError) { try Self.require(snd_pcm_prepare(pcm), device, "preparing to play") }

    func start() throws(DeviceError) {
        // Some plug-ins have started by themselves.
        guard snd_pcm_state(pcm) != SND_PCM_STATE_RUNNING else { return }
        try Self.require(snd_pcm_start(pcm), device, "starting to play")
    }

    /// 1 when there is room, 0 after the time, else an error.
    func wait(milliseconds: Int32) -> Int32 { snd_pcm_wait(pcm, milliseconds) }

    /// Frames that could be written, or an error.
    func available() -> Int { Int(snd_pcm_avail(pcm)) }

    /// Whether the device itself still has more than `count` frames to play.
    func holds(_ count: Int) -> Bool {
        let available = Int(snd_pcm_avail_update(pcm))
        return available >= 0 && capacity - available > count
    }

    /// Frames until one written now is heard; 0 where the device cannot tell.
    func delay() -> Int {
        var frames: snd_pcm_sframes_t = 0
        return snd_pcm_delay(pcm, &frames) == 0 ? max(Int(frames), 0) : 0
    }

    /// Frames written, or an error.
    func write(_ samples: [Int16]) -> Int {
        samples.withUnsafeBytes { Int(snd_pcm_writei(pcm, $0.baseAddress, snd_pcm_uframes_t(samples.count))) }
    }
}
