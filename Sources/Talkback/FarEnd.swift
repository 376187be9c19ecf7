import Media
import Synchronization

/// What the speaker plays, and when: written by the thread that plays, read by those of the microphones, which want to
/// take it out of what they hear. Any thread.
package final class FarEnd: Sendable {
    /// So much of the past can be read; also what the speaker still has to play lies in here.
    package static let history = MediaTime.seconds(2)
    /// A difference between when something should be heard and when the speaker says it is: above it, and so many times
    /// in a row, the speaker was held up; else the answer was inexact and counts a little, or, once, not at all.
    static let jump = 0.04
    static let patience = 3
    static let smoothing = 0.02
    /// Quieter samples are silence: -46 dB.
    static let threshold: Int16 = 160

    private struct State {
        var samples: [Int16]
        /// The number of the next sample.
        var end: Int64 = 0
        /// When sample 0 would have been heard.
        var origin: MediaTime?
        var jumps = 0
    }

    /// Samples a second.
    package let rate: Int
    private let state: Mutex<State>
    private let talking = Atomic(false)

    package init(rate: Int) {
        self.rate = rate
        state = Mutex(State(samples: [Int16](repeating: 0, count: Int(Self.history.ticks(rate: rate)))))
    }

    /// Whether somebody is heard, or was a moment ago.
    package var isTalking: Bool { talking.load(ordering: .relaxed) }

    package func setTalking(_ isTalking: Bool) { talking.store(isTalking, ordering: .relaxed) }

    /// The speaker has been opened: what it played before says nothing about when it plays now.
    package func begin() { state.withLock { $0.origin = nil } }

    /// - Parameter time: when the first of `samples` will be heard.
    package func played(_ samples: [Int16], at time: MediaTime) {
        state.withLock { state in
            let expected = state.origin.map { $0 + .samples(state.end, rate: rate) }
            if let origin = state.origin, let expected {
                let error = (time - expected).seconds
                state.jumps = abs(error) > Self.jump ? state.jumps + 1 : 0
                let part = state.jumps == 0 ? Self.smoothing : state.jumps >= Self.patience ? 1 : 0
                state.origin = origin + MediaTime(nanoseconds: Int64(error * part * 1e9))
            } else {
                state.origin = time - .samples(state.end, rate: rate)
            }
            let capacity = state.samples.count
            for sample in samples.suffix(capacity) {
                state.samples[Int(state.end % Int64(capacity))] = sample
                state.end += 1
            }
        }
    }

    /// The number of the sample that is heard at `time`; nil before anything was.
    package func index(at time: MediaTime) -> Int64? {
        state.withLock { state in state.origin.map { (time - $0).ticks(rate: rate) } }
    }

    /// `count` samples from number `start` on, with silence for those that are not there.
    package func read(from start: Int64, count: Int) -> [Int16] {
        state.withLock { state in
            let capacity = Int64(state.samples.count)
            return (start..<start + Int64(count)).map { number in
                number >= max(state.end - capacity, 0) && number < state.end
                    ? state.samples[Int(number % capacity)] : 0
            }
        }
    }

    /// Whether anything but silence is heard from `start` to `end`.
    package func isHeard(from start: MediaTime, to end: MediaTime) -> Bool {
        guard let first = index(at: start), let last = index(at: end), last > first else { return false }
        return read(from: first, count: Int(min(last - first, Int64(state.withLock { $0.samples.count }))))
            .contains { $0 > Self.threshold || $0 < -Self.threshold }
    }
}
