/// Closes on what the canceller leaves of an echo: where it could lower the microphone's sound by far, that was all echo,
/// and the rest of it is let go too; where it could not, somebody speaks, and nothing is touched. A value.
struct EchoGate: Sendable {
    /// Lowered by less than -9 dB, the gate is open; by more than -15 dB, closed; in energy.
    static let open = 0.125
    static let closed = 0.03
    /// What a closed gate lets through, -18 dB.
    static let leak = 0.125
    /// Shares of the new in the energies, frame by frame, and in the gain, sample by sample, opening and closing.
    private static let smoothing = 0.4
    private static let opening = 0.02
    private static let closing = 0.004

    private var before = 0.0
    private var after = 0.0
    private var gain = 1.0

    init() {}

    /// - Parameters:
    ///   - samples: what the canceller made.
    ///   - captured: of what.
    mutating func pass(_ samples: inout [Int16], captured: [Int16]) {
        before += (energy(captured) - before) * Self.smoothing
        after += (energy(samples) - after) * Self.smoothing
        let share = after / max(before, 1)
        let part = min(max((share - Self.closed) / (Self.open - Self.closed), 0), 1)
        let aim = Self.leak + (1 - Self.leak) * part
        for index in samples.indices {
            gain += (aim - gain) * (aim > gain ? Self.opening : Self.closing)
            samples[index] = Int16(Double(samples[index]) * gain)
        }
    }

    private func energy(_ samples: [Int16]) -> Double { samples.reduce(0) { $0 + Double($1) * Double($1) } }
}
