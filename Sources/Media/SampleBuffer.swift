/// Sound as it comes from a microphone: signed 16-bit samples, channels interleaved.
package struct SampleBuffer: Sendable {
    package var samples: [Int16]
    package let rate: Int
    package let channels: Int
    /// When the first sample was captured, on the monotonic clock.
    package let time: MediaTime

    package init(samples: [Int16], rate: Int, channels: Int, time: MediaTime) {
        self.samples = samples
        self.rate = rate
        self.channels = channels
        self.time = time
    }

    /// Samples per channel.
    package var count: Int { samples.count / channels }
    package var duration: MediaTime { .samples(Int64(count), rate: rate) }
}
