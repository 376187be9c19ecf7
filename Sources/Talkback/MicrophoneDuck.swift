import Media
import Streaming
import Synchronization

/// Lowers a microphone while the far end is heard: for rooms and devices where no echo canceller helps. On the
/// microphone's thread.
package final class MicrophoneDuck: AudioProcessor {
    /// To a sixteenth, -24 dB.
    static let lowered: Int32 = 2048
    static let full: Int32 = 32768
    /// From one to the other.
    static let ramp = MediaTime.milliseconds(20)
    /// Stays lowered so long after the far end fell silent, for the room's echo and between words.
    static let hold = MediaTime.milliseconds(300)
    /// Lowered so long before the far end is heard, since times are inexact.
    static let early = MediaTime.milliseconds(30)

    private let farEnd: FarEnd
    /// Touched by the microphone's thread alone; 32768 is as it was captured.
    private let gain = Mutex(MicrophoneDuck.full)

    package init(farEnd: FarEnd) { self.farEnd = farEnd }

    package func process(_ buffer: inout SampleBuffer) {
        let isTalking = farEnd.isTalking
        gain.withLock { gain in
            guard isTalking || gain != Self.full else { return }
            let end = buffer.time + buffer.duration
            let isHeard = isTalking && farEnd.isHeard(from: buffer.time - Self.hold, to: end + Self.early)
            let aim = isHeard ? Self.lowered : Self.full
            let step = max((Self.full - Self.lowered) / Int32(max(Self.ramp.ticks(rate: buffer.rate), 1)), 1)
            let channels = buffer.channels
            for index in buffer.samples.indices {
                if index % channels == 0 { gain = gain < aim ? min(gain + step, aim) : max(gain - step, aim) }
                buffer.samples[index] = Int16(Int32(buffer.samples[index]) * gain >> 15)
            }
        }
    }
}
