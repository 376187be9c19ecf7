import Glibc
import Media
import TestSupport

/// Sounds to test with, and what can be measured of a sound.
enum Sound {
    static func tone(_ hertz: Double, rate: Int, count: Int, amplitude: Double = 8000, from start: Int = 0) -> [Int16] {
        (start..<start + count).map { Int16((amplitude * sin(2 * .pi * hertz * Double($0) / Double(rate))).rounded()) }
    }

    /// Something like a voice: noise through resonances that wander, in syllables.
    static func voice(seed: UInt64, rate: Int, count: Int, amplitude: Double = 6000) -> [Int16] {
        var random = SplitMix64(state: seed)
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var phase = 0.0
        var values: [Double] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            let time = Double(index) / Double(rate)
            let pitch = 110 + 30 * sin(2 * .pi * 0.7 * time + Double(seed % 7))
            phase += pitch / Double(rate)
            if phase >= 1 { phase -= 1 }
            let noise = Double(Int64(bitPattern: random.next() >> 11)) / Double(1 << 52) - 1
            let source = (phase < 0.1 ? 1.0 : -0.11) + 0.25 * noise
            let first = 500 + 250 * sin(2 * .pi * 1.3 * time + Double(seed % 5))
            let second = 1500 + 600 * sin(2 * .pi * 0.9 * time + Double(seed % 3))
            (a, b) = (source + resonance(first, 0.96, rate) * a - 0.9216 * b, a)
            (c, d) = (source + resonance(second, 0.95, rate) * c - 0.9025 * d, c)
            let syllable = max(0, sin(2 * .pi * 3.1 * time + Double(seed % 11)) + 0.35)
            values.append((a + 0.7 * c) * syllable)
        }
        let loudest = values.map(abs).max() ?? 1
        return values.map { Int16($0 / loudest * amplitude) }
    }

    private static func resonance(_ hertz: Double, _ radius: Double, _ rate: Int) -> Double {
        2 * radius * cos(2 * .pi * hertz / Double(rate))
    }

    static func energy(_ samples: some Sequence<Int16>) -> Double {
        samples.reduce(0) { $0 + Double($1) * Double($1) }
    }

    static func decibels(_ a: some Sequence<Int16>, over b: some Sequence<Int16>) -> Double {
        10 * log10(max(energy(a), 1) / max(energy(b), 1))
    }

    /// How alike two sounds of the same length are, -1…1.
    static func correlation(_ a: some Collection<Int16>, _ b: some Collection<Int16>) -> Double {
        var product = 0.0
        for (x, y) in zip(a, b) { product += Double(x) * Double(y) }
        return product / max((energy(a) * energy(b)).squareRoot(), 1)
    }

    /// The share of `samples` that is a tone of this frequency, 0…1.
    static func share(of hertz: Double, in samples: some Collection<Int16>, rate: Int) -> Double {
        var (real, imaginary) = (0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let phase = 2 * .pi * hertz * Double(index) / Double(rate)
            real += Double(sample) * cos(phase)
            imaginary += Double(sample) * sin(phase)
        }
        return 2 * (real * real + imaginary * imaginary) / (Double(samples.count) * max(energy(samples), 1))
    }

    /// The largest step from one sample to the next.
    static func steepest(_ samples: [Int16]) -> Int {
        zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }
}
