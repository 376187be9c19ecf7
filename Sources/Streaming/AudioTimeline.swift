import Media

/// Lays a microphone's sound on the monotonic clock: out comes sound without a hole, whose n-th sample belongs to the
/// n-th tick of that clock from `origin` on, however the microphone's own clock runs.
///
/// A small error is taken out by playing a little faster or slower; a jump (an overrun, an unplugged device) is filled
/// with silence of its exact length, or cut. A value: buffers in, samples out.
package struct AudioTimeline: Sendable {
    package let rate: Int
    package let channels: Int
    /// The time of the first sample.
    package let origin: MediaTime
    /// Samples per channel given out so far.
    package private(set) var produced: Int64 = 0
    /// Samples per channel of silence put into holes.
    package private(set) var silence: Int64 = 0

    private var resampler: Resampler
    private var error = 0.0
    /// How much too fast the microphone's clock runs, as a share.
    private var drift: Double

    /// Errors beyond this are jumps.
    package static let jump = 0.08
    /// The rate is never bent by more than this share.
    package static let maximumBend = 0.003
    private static let smoothing = 0.05
    private static let proportional = 0.1
    private static let integral = 0.0003

    /// - Parameter drift: what is known of the microphone's clock from before, in millionths.
    package init(rate: Int, channels: Int, origin: MediaTime, drift: Double = 0) {
        self.rate = rate
        self.channels = channels
        self.origin = origin
        self.drift = drift / 1e6
        resampler = Resampler(channels: channels)
    }

    /// When the next sample to come out belongs.
    package var end: MediaTime { origin + .samples(produced, rate: rate) }

    /// How much too fast the microphone's clock runs, in millionths.
    package var driftPartsPerMillion: Double { drift * 1e6 }

    /// What `buffer` adds to the time line, interleaved.
    package mutating func push(_ buffer: SampleBuffer) -> [Int16] {
        var output: [Int16] = []
        output.reserveCapacity(buffer.samples.count + 64)
        var input = buffer.samples
        let late = (buffer.time - end).seconds + resampler.lead / Double(rate)
        if late > Self.jump {
            let hole = Int((late * Double(rate)).rounded())
            appendSilence(hole, to: &output)
            resampler.reset()
            error = 0
        } else if late < -Self.jump {
            // Sound for a time that is over, filled with silence already.
            let cut = min(Int((-late * Double(rate)).rounded()), buffer.count)
            input.removeFirst(cut * channels)
            resampler.reset()
            error = 0
        } else {
            error += (late - error) * Self.smoothing
            drift = min(max(drift - error * Self.integral, -Self.maximumBend), Self.maximumBend)
        }
        let step = 1 + min(max(drift - error * Self.proportional, -Self.maximumBend), Self.maximumBend)
        let before = output.count
        resampler.process(input, step: step, into: &output)
        produced += Int64((output.count - before) / channels)
        return output
    }

    /// Silence up to `time`, where nothing came from the microphone.
    package mutating func fill(upTo time: MediaTime) -> [Int16] {
        let missing = (time - end).seconds * Double(rate)
        guard missing >= 1 else { return [] }
        var output: [Int16] = []
        // After a pause of the whole machine, for one, what is missing may be hours; it comes in pieces.
        appendSilence(min(Int(missing), rate), to: &output)
        resampler.reset()
        error = 0
        return output
    }

    private mutating func appendSilence(_ count: Int, to output: inout [Int16]) {
        output.append(contentsOf: repeatElement(0, count: count * channels))
        produced += Int64(count)
        silence += Int64(count)
    }
}
