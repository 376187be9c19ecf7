import Media

/// Finds out how much later a microphone hears what a speaker plays, beyond what the devices' own clocks say, by
/// comparing the two (cross-correlation). A value: frames in, a delay out; no I/O.
package struct DelayEstimator: Sendable {
    /// Where the echo is looked for. The speaker's word on when it plays can be a little late, so an echo may come early.
    package static let earliest = MediaTime.milliseconds(-20)
    package static let latest = MediaTime.milliseconds(500)
    /// The comparison is made at about this rate.
    static let innerRate = 4000
    /// So much of the microphone's sound is compared, and this often until the delay is known, and then more rarely.
    static let window = 2000
    static let interval = 1000
    static let rareInterval = 8000
    /// An echo that counts: so much of the sound is alike, and so much more than at any other delay.
    static let likeness: Float = 0.25
    static let distinctness: Float = 1.3
    /// Two estimates in a row within this agree, and others at this distance compete: 3 ms, 6 ms.
    static let agreement = 12
    static let neighbourhood = 24
    /// Quieter sound of the far end says nothing: -50 dB, as a share of full scale, squared.
    static let loudness: Float = 1e-5

    /// What the microphone hears is this much later than what the speaker said; nil before it is known.
    package private(set) var delay: MediaTime?
    /// How alike the two were at that delay, 0…1.
    package private(set) var confidence: Float = 0

    private let factor: Int
    private let rate: Double
    private var near: Decimator
    private var far: Decimator
    private var nearHistory: [Float] = []
    private var farHistory: [Float] = []
    private var sinceEstimate = 0
    private var candidate: Int?

    /// - Parameter rate: samples a second.
    package init(rate: Int) {
        factor = max(rate / Self.innerRate, 1)
        self.rate = Double(rate) / Double(factor)
        near = Decimator(factor: factor)
        far = Decimator(factor: factor)
        // Before anybody spoke there was silence.
        farHistory = [Float](repeating: 0, count: range)
        nearHistory = farHistory
    }

    private var range: Int { inner(Self.latest) - inner(Self.earliest) }

    private func inner(_ time: MediaTime) -> Int { Int((time.seconds * rate).rounded()) }

    /// A piece of what the microphone heard, and of what the speaker said it played `earliest` before that (which is
    /// later, being negative); of the same length.
    ///
    /// - Returns: whether there is a new estimate.
    package mutating func add(near: [Int16], far: [Int16]) -> Bool {
        let before = nearHistory.count
        self.near.add(near, to: &nearHistory)
        self.far.add(far, to: &farHistory)
        sinceEstimate += nearHistory.count - before
        let surplus = nearHistory.count - (Self.window + range)
        guard surplus >= 0 else { return false }
        // In one go now and then, since the rest moves.
        if surplus > Self.interval {
            nearHistory.removeFirst(surplus)
            farHistory.removeFirst(surplus)
        }
        guard sinceEstimate >= (delay == nil ? Self.interval : Self.rareInterval) else { return false }
        sinceEstimate = 0
        return estimate()
    }

    package mutating func reset() { self = DelayEstimator(rate: Int(rate) * factor) }

    private mutating func estimate() -> Bool {
        let count = nearHistory.count
        let likenesses = nearHistory.withUnsafeBufferPointer { near in
            farHistory.withUnsafeBufferPointer { far in
                Self.likenesses(
                    near: UnsafeBufferPointer(rebasing: near[(count - Self.window)...]),
                    far: UnsafeBufferPointer(rebasing: far[(count - Self.window - range)...]), lags: range + 1)
            }
        }
        guard let best = likenesses.indices.max(by: { likenesses[$0] < likenesses[$1] }),
            likenesses[best] >= Self.likeness
        else { return forget() }
        let others = likenesses.indices.lazy.filter { abs($0 - best) > Self.neighbourhood }.map { likenesses[$0] }
        guard likenesses[best] >= Self.distinctness * (others.max() ?? 0) else { return forget() }
        defer { candidate = best }
        guard let candidate, abs(candidate - best) <= Self.agreement else { return false }
        delay = Self.earliest + MediaTime(nanoseconds: Int64(Double(best) / rate * 1e9))
        confidence = likenesses[best]
        return true
    }

    private mutating func forget() -> Bool {
        candidate = nil
        return false
    }

    /// How alike `near` is to `far`, moved back by 0, 1, … `lags - 1`, from the end on.
    private static func likenesses(
        near: UnsafeBufferPointer<Float>, far: UnsafeBufferPointer<Float>, lags: Int
    ) -> [Float] {
        let count = near.count
        var nearEnergy: Float = 0
        for value in near { nearEnergy += value * value }
        let quiet = loudness * Float(count)
        let (nearBytes, farBytes) = (UnsafeRawBufferPointer(near), UnsafeRawBufferPointer(far))
        var result = [Float](repeating: 0, count: lags)
        guard nearEnergy > 0 else { return result }
        for lag in 0..<lags {
            let start = far.count - count - lag
            var product: SIMD8<Float> = .zero
            var energy: SIMD8<Float> = .zero
            var index = 0
            while index + 8 <= count {
                let a = nearBytes.loadUnaligned(fromByteOffset: 4 * index, as: SIMD8<Float>.self)
                let b = farBytes.loadUnaligned(fromByteOffset: 4 * (start + index), as: SIMD8<Float>.self)
                product += a * b
                energy += b * b
                index += 8
            }
            let farEnergy = energy.sum()
            guard farEnergy > quiet else { continue }
            // A speaker wired the wrong way round is an echo too.
            result[lag] = abs(product.sum()) / (nearEnergy * farEnergy).squareRoot()
        }
        return result
    }
}

/// Lowers a rate by averaging and flattens a voice's spectrum, so that its pitch does not look like an echo.
private struct Decimator: Sendable {
    let factor: Int
    private var sum: Float = 0
    private var count = 0
    private var last: Float = 0

    init(factor: Int) { self.factor = factor }

    mutating func add(_ samples: [Int16], to result: inout [Float]) {
        for sample in samples {
            sum += Float(sample)
            count += 1
            guard count == factor else { continue }
            let value = sum / (Float(factor) * 32768)
            result.append(value - 0.9 * last)
            last = value
            (sum, count) = (0, 0)
        }
    }
}
