/// How loud a channel's microphone was lately.
package struct SoundLevel: Sendable, Hashable {
    /// Parts of full scale, 0 to 1.
    package var peak: Double
    package var rms: Double
    /// Parts of all samples that stand at an end of the scale.
    package var clipped: Double
    /// What it was measured over.
    package var seconds: Double

    package init(peak: Double, rms: Double, clipped: Double, seconds: Double) {
        self.peak = peak
        self.rms = rms
        self.clipped = clipped
        self.seconds = seconds
    }
}

/// Measures what a microphone gives, over the last ten seconds at most, in windows of one.
package struct SoundMeter: Sendable {
    package static let windows = 10

    private struct Window: Sendable {
        var peak = 0
        var squares = 0.0
        var clipped = 0
        var samples = 0
    }

    private var past: [Window] = []
    private var current = Window()
    /// Samples of all channels in a second.
    private let perSecond: Int

    package init(rate: Int, channels: Int) { perSecond = max(rate * channels, 1) }

    package mutating func add(_ samples: [Int16]) {
        // Whole numbers of 64 bits: 65,536 samples at full scale stay far below their end.
        var (peak, squares, clipped) = (0, 0, 0)
        for sample in samples {
            let value = Int(sample)
            let size = value < 0 ? -value : value
            squares &+= value &* value
            if size > peak { peak = size }
            if size >= 32767 { clipped &+= 1 }
        }
        current.peak = max(current.peak, peak)
        current.squares += Double(squares)
        current.clipped += clipped
        current.samples += samples.count
        guard current.samples >= perSecond else { return }
        if past.count == Self.windows { past.removeFirst() }
        past.append(current)
        current = Window()
    }

    /// Nil before the first second is over.
    package var level: SoundLevel? {
        let samples = past.reduce(0) { $0 + $1.samples }
        guard samples > 0 else { return nil }
        let squares = past.reduce(0.0) { $0 + $1.squares }
        return SoundLevel(
            peak: Double(past.reduce(0) { max($0, $1.peak) }) / 32768,
            rms: (squares / Double(samples)).squareRoot() / 32768,
            clipped: Double(past.reduce(0) { $0 + $1.clipped }) / Double(samples),
            seconds: Double(samples) / Double(perSecond))
    }
}
