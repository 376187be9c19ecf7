/// Changes the rate of sound a little, by cubic interpolation (Hermite form). State carries over from one buffer to the
/// next, so joints are not heard. Meant for corrections of less than a per cent.
package struct Resampler: Sendable {
    private let channels: Int
    /// The last frames of the former buffer, and behind them the present one.
    private var work: [Int16]
    /// Where in `work` the next output frame lies.
    private var position = Self.history
    private static let history = 3.0

    package init(channels: Int) {
        self.channels = channels
        work = [Int16](repeating: 0, count: 3 * channels)
    }

    /// Input frames that the next output lies ahead of the next buffer's first one (negative: behind).
    package var lead: Double { position - Self.history }

    /// Forgets the past; the next output is the next buffer's first frame.
    package mutating func reset() {
        work = [Int16](repeating: 0, count: 3 * channels)
        position = Self.history
    }

    /// - Parameter step: input frames per output frame.
    package mutating func process(_ input: [Int16], step: Double, into output: inout [Int16]) {
        work.append(contentsOf: input)
        let frames = work.count / channels
        while Int(position) + 2 < frames {
            let index = Int(position)
            let t = position - Double(index)
            for channel in 0..<channels {
                let base = index * channels + channel
                let (a, b) = (Double(work[base - channels]), Double(work[base]))
                let (c, d) = (Double(work[base + channels]), Double(work[base + 2 * channels]))
                let slope = (c - a) / 2
                let bend = a - 2.5 * b + 2 * c - d / 2
                let twist = (d - a) / 2 + 1.5 * (b - c)
                let value = ((twist * t + bend) * t + slope) * t + b
                output.append(Int16(min(max(value.rounded(), -32768), 32767)))
            }
            position += step
        }
        let used = frames - Int(Self.history)
        work.removeFirst(used * channels)
        position -= Double(used)
    }
}
