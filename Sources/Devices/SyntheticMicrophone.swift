import Glibc
import Media

/// A microphone that is not there: a tone of 440 Hz, and at each whole second of the monotonic clock a click in step with
/// the synthetic camera's flash. Its clock may run too fast or too slow, as real ones do.
package final class SyntheticMicrophone: AudioSource {
    package let detail: String
    package let overruns = 0

    private let rate: Int
    private let channels: Int
    /// Samples a second of true time.
    private let trueRate: Double
    private let start: MediaTime
    private var position: Int64 = 0

    static let clickLength = 0.005
    static let clickFrequency = 2000.0
    static let toneFrequency = 440.0

    package init(settings: MicrophoneSettings) {
        rate = settings.rate
        channels = settings.channels
        trueRate = Double(settings.rate) * (1 + settings.syntheticDrift / 1e6)
        start = SystemMediaClock().now()
        detail = "tone and click, \(rate) Hz \(channels == 1 ? "mono" : "stereo")"
    }

    package func read(timeout: MediaTime) throws(DeviceError) -> SampleBuffer? {
        let count = rate / 50
        // Samples exist once they were all captured.
        guard Pacer.wait(until: time(of: position + Int64(count)), timeout: timeout) else { return nil }
        let first = time(of: position)
        var samples: [Int16] = []
        samples.reserveCapacity(count * channels)
        for index in 0..<count {
            let value = Self.value(at: first.nanoseconds + Int64(Double(index) * 1e9 / trueRate))
            for _ in 0..<channels { samples.append(value) }
        }
        position += Int64(count)
        return SampleBuffer(samples: samples, rate: rate, channels: channels, time: first)
    }

    private func time(of sample: Int64) -> MediaTime {
        start + MediaTime(nanoseconds: Int64(Double(sample) * 1e9 / trueRate))
    }

    private static func value(at nanoseconds: Int64) -> Int16 {
        let second = Double(nanoseconds % 1_000_000_000) / 1e9
        if second < clickLength { return Int16(23_000 * sin(2 * .pi * clickFrequency * second)) }
        return Int16(1_600 * sin(2 * .pi * toneFrequency * second))
    }
}
