import Media

/// A WAV file played over and over in real time, as if it were a microphone.
package final class WAVMicrophone: AudioSource {
    package let detail: String
    package let overruns = 0

    private let file: WAVFile
    private let start: MediaTime
    private var position: Int64 = 0

    package init(path: String) throws(DeviceError) {
        file = try WAVFile(path: path)
        detail = "S16_LE \(file.header.rate) Hz \(file.header.channels == 1 ? "mono" : "stereo")"
        start = SystemMediaClock().now()
    }

    package var rate: Int { file.header.rate }
    package var channels: Int { file.header.channels }

    package func read(timeout: MediaTime) throws(DeviceError) -> SampleBuffer? {
        let count = rate / 50
        guard Pacer.wait(until: time(of: position + Int64(count)), timeout: timeout) else { return nil }
        var samples = file.read(count: count)
        if samples.isEmpty {
            file.rewind()
            samples = file.read(count: count)
            guard !samples.isEmpty else {
                throw DeviceError(.lost, device: file.path, action: "reading sound", reason: "the file has none")
            }
        }
        defer { position += Int64(samples.count / channels) }
        return SampleBuffer(samples: samples, rate: rate, channels: channels, time: time(of: position))
    }

    private func time(of sample: Int64) -> MediaTime { start + .samples(sample, rate: rate) }
}
