import Codecs
import Media

/// Which of the speaker's samples belong to which of the microphone's. Belongs to the microphone's thread.
final class EchoAlignment {
    struct Far {
        /// What the speaker says it plays `DelayEstimator.earliest` before the microphone's frame (later, that is).
        var early: [Int16]
        /// The same, moved by the shift.
        var aligned: [Int16]
    }

    /// Times and counts may disagree by this much before something must have been held up, and then for so many frames.
    static let jump = MediaTime.milliseconds(20)
    static let patience = 3
    /// A slow disagreement, of two crystals, is taken out a sample at a time, from this on and down to that; no more than
    /// one in so many frames, some hundred millionths, which the filter can follow.
    static let slip = MediaTime.milliseconds(8)
    static let slipLeft = MediaTime.milliseconds(2)
    static let slipInterval = 10
    /// Times are inexact by milliseconds on a busy machine; over some seconds they are not.
    private static let smoothing = 0.005

    /// The aligned samples are this much older than the microphone's: `DelayEstimator.earliest` to `latest`.
    private(set) var shift = MediaTime.zero - EchoAlignment.beginsEarly
    private(set) var realignments = 0

    /// The first guess: an echo comes when the clocks say, or a little earlier.
    private static let beginsEarly = MediaTime.milliseconds(12)

    private let nearRate: Int
    private let farRate: Int
    private var converter: RateConverter?
    /// Far samples at the near rate, back to the latest echo; the newest belong to the last frame.
    private var history: [Int16]
    /// Of those, what was read ahead.
    private var ahead: [Int16] = []
    /// The far end's number for the first sample given out since they were brought together, how many were given out
    /// since, and how many were read.
    private var origin: Int64?
    private var given: Int64 = 0
    private var nextToRead: Int64 = 0
    private var disagreement = 0.0
    private var isSlipping = false
    private var framesToSlip = 0
    private var jumps = 0
    private var wasSet = false

    init(farRate: Int, nearRate: Int) throws(CodecError) {
        self.nearRate = nearRate
        self.farRate = farRate
        if farRate != nearRate { converter = try RateConverter(from: farRate, to: nearRate) }
        let span = DelayEstimator.latest - DelayEstimator.earliest
        history = [Int16](repeating: 0, count: Int(span.ticks(rate: nearRate)))
    }

    var isSet: Bool { origin != nil }

    /// The next frame brings them together anew.
    func reset() {
        origin = nil
        wasSet = false
    }

    func move(to shift: MediaTime) {
        self.shift = min(max(shift, DelayEstimator.earliest), DelayEstimator.latest)
    }

    /// What the speaker played for the microphone's next `count` samples, of which the first was heard at `time`. Nil
    /// before the speaker played anything.
    func next(_ count: Int, at time: MediaTime, from farEnd: FarEnd) -> Far? {
        guard let expected = farEnd.index(at: time - DelayEstimator.earliest) else { return nil }
        if let origin { judge(Double(expected - origin) - Double(given) * Double(farRate) / Double(nearRate)) }
        if origin == nil { bringTogether(at: expected) }
        while ahead.count < count { read(from: farEnd) }
        let early = Array(ahead.prefix(count))
        ahead.removeFirst(count)
        given += Int64(count)
        history.removeFirst(count)
        history.append(contentsOf: early)
        let back = Int((shift - DelayEstimator.earliest).ticks(rate: nearRate))
        let end = max(history.count - back, count)
        return Far(early: early, aligned: Array(history[end - count..<end]))
    }

    private func bringTogether(at expected: Int64) {
        if wasSet { realignments += 1 }
        wasSet = true
        (origin, nextToRead) = (expected, expected)
        (given, disagreement, jumps, isSlipping) = (0, 0, 0, false)
        ahead.removeAll(keepingCapacity: true)
        for index in history.indices { history[index] = 0 }
    }

    private func read(from farEnd: FarEnd) {
        let samples = farEnd.read(from: nextToRead, count: farRate / 100)
        nextToRead += Int64(samples.count)
        if converter == nil { ahead.append(contentsOf: samples) } else { converter?.convert(samples, into: &ahead) }
    }

    /// - Parameter difference: far samples by which the times are ahead of the counts.
    private func judge(_ difference: Double) {
        guard abs(difference) <= Self.jump.seconds * Double(farRate) else {
            jumps += 1
            if jumps >= Self.patience { origin = nil }
            return
        }
        jumps = 0
        disagreement += (difference - disagreement) * Self.smoothing
        let limit = (isSlipping ? Self.slipLeft : Self.slip).seconds * Double(farRate)
        isSlipping = abs(disagreement) > limit
        framesToSlip -= 1
        guard isSlipping, framesToSlip <= 0, let origin else { return }
        framesToSlip = Self.slipInterval
        if disagreement > 0, !ahead.isEmpty {
            ahead.removeFirst()
            (self.origin, disagreement) = (origin + 1, disagreement - 1)
        } else if disagreement < 0 {
            ahead.insert(ahead.first ?? 0, at: 0)
            (self.origin, disagreement) = (origin - 1, disagreement + 1)
        }
    }
}
