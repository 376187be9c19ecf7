import CALSA
import Glibc
import Media

/// A microphone behind ALSA: signed 16-bit samples, time-stamped by the driver's monotonic clock.
package final class ALSAMicrophone: AudioSource {
    package let detail: String
    package private(set) var overruns = 0

    private let pcm: ALSACapture
    private let rate: Int
    private let channels: Int

    /// One read hands out about this much sound.
    static let period = MediaTime.milliseconds(20)
    /// What the driver may hold before samples are lost.
    static let buffer = MediaTime.milliseconds(400)

    /// Opens the device and starts capturing.
    package init(device: String, settings: MicrophoneSettings) throws(DeviceError) {
        pcm = try ALSACapture(device: device)
        try pcm.configure(rate: settings.rate, channels: settings.channels)
        rate = settings.rate
        channels = settings.channels
        detail = "S16_LE \(rate) Hz \(channels == 1 ? "mono" : "stereo")"
        try pcm.start()
    }

    package func read(timeout: MediaTime) throws(DeviceError) -> SampleBuffer? {
        let wait = pcm.wait(milliseconds: Int32(clamping: timeout.milliseconds))
        if wait == 0 { return nil }
        guard wait > 0 else { return try recover(wait) }
        let (available, time) = pcm.availableAndTime()
        guard available > 0 else { return available == 0 ? nil : try recover(Int32(clamping: available)) }
        // `available` samples were ready at `time`, so that much earlier the first of them was captured.
        let first = time - .samples(Int64(available), rate: rate)
        var samples = [Int16](repeating: 0, count: available * channels)
        let count = samples.withUnsafeMutableBytes { pcm.read(into: $0.baseAddress, frames: available) }
        guard count > 0 else { return try recover(Int32(clamping: count)) }
        if count < available { samples.removeLast((available - count) * channels) }
        return SampleBuffer(samples: samples, rate: rate, channels: channels, time: first)
    }

    /// After an overrun capture must be prepared and started again, or it stays silent for ever.
    private func recover(_ code: Int32) throws(DeviceError) -> SampleBuffer? {
        switch -code {
        case EAGAIN, EINTR, 0: return nil
        case EPIPE, ESTRPIPE:
            overruns += 1
            try pcm.start()
            return nil
        default: throw DeviceError(.lost, device: pcm.device, action: "reading sound", errno: -code)
        }
    }
}

/// Owns an open ALSA capture device. The calls' meaning: alsa-lib, pcm.h.
private struct ALSACapture: ~Copyable {
    let device: String
    private let pcm: OpaquePointer

    init(device: String) throws(DeviceError) {
        calsa_keep_silent()
        var pcm: OpaquePointer?
        let code = snd_pcm_open(&pcm, device, SND_PCM_STREAM_CAPTURE, Int32(SND_PCM_NONBLOCK))
        guard code == 0, let pcm else {
            throw DeviceError(.absent, device: device, action: "opening the microphone", errno: -code)
        }
        self.device = device
        self.pcm = pcm
    }

    deinit { snd_pcm_close(pcm) }

    private func require(_ code: Int32, _ action: String) throws(DeviceError) {
        guard code < 0 else { return }
        throw DeviceError(.unsupported, device: device, action: action, errno: -code)
    }

    func configure(rate: Int, channels: Int) throws(DeviceError) {
        var hardware: OpaquePointer?
        snd_pcm_hw_params_malloc(&hardware)
        defer { snd_pcm_hw_params_free(hardware) }
        try require(snd_pcm_hw_params_any(pcm, hardware), "asking what it can do")
        try require(
            snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED), "asking for interleaved samples"
        )
        try require(snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S16_LE), "asking for 16-bit samples")
        try require(
            snd_pcm_hw_params_set_channels(pcm, hardware, UInt32(channels)),
            "asking for \(channels) channels (a device name beginning with plughw: converts)")
        try require(
            snd_pcm_hw_params_set_rate(pcm, hardware, UInt32(rate), 0),
            "asking for \(rate) Hz (a device name beginning with plughw: converts)")
        var period = snd_pcm_uframes_t(ALSAMicrophone.period.milliseconds) * UInt(rate) / 1000
        var buffer = snd_pcm_uframes_t(ALSAMicrophone.buffer.milliseconds) * UInt(rate) / 1000
        try require(snd_pcm_hw_params_set_period_size_near(pcm, hardware, &period, nil), "asking for a period")
        try require(snd_pcm_hw_params_set_buffer_size_near(pcm, hardware, &buffer), "asking for a buffer")
        try require(snd_pcm_hw_params(pcm, hardware), "setting it up")

        var software: OpaquePointer?
        snd_pcm_sw_params_malloc(&software)
        defer { snd_pcm_sw_params_free(software) }
        try require(snd_pcm_sw_params_current(pcm, software), "asking how it wakes us")
        try require(snd_pcm_sw_params_set_avail_min(pcm, software, period), "asking to be woken once a period")
        try require(snd_pcm_sw_params_set_tstamp_mode(pcm, software, SND_PCM_TSTAMP_ENABLE), "asking for time stamps")
        try require(
            snd_pcm_sw_params_set_tstamp_type(pcm, software, SND_PCM_TSTAMP_TYPE_MONOTONIC),
            "asking for monotonic time stamps")
        try require(snd_pcm_sw_params(pcm, software), "setting up how it wakes us")
    }

    func start() throws(DeviceError) {
        try require(snd_pcm_prepare(pcm), "preparing to capture")
        try require(snd_pcm_start(pcm), "starting to capture")
    }

    /// 1 when there is sound, 0 after the time, else an error.
    func wait(milliseconds: Int32) -> Int32 { snd_pcm_wait(pcm, milliseconds) }

    func availableAndTime() -> (Int, MediaTime) {
        var available: snd_pcm_uframes_t = 0
        var stamp = timespec()
        let code = snd_pcm_htimestamp(pcm, &available, &stamp)
        if code == 0, stamp.tv_sec > 0 || stamp.tv_nsec > 0 { return (Int(available), MediaTime(stamp)) }
        // Some plug-ins keep no time stamps.
        return (Int(snd_pcm_avail(pcm)), SystemMediaClock().now())
    }

    func read(into memory: UnsafeMutableRawPointer?, frames: Int) -> Int {
        Int(snd_pcm_readi(pcm, memory, snd_pcm_uframes_t(frames)))
    }
}
