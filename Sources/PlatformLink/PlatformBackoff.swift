import Media

/// How long to wait before the next attempt to reach a platform: 1, 2, 4 … 60 s, of which chance takes up to a third, so
/// that many devices do not return in step. Begins anew after a log-in that lasted.
struct PlatformBackoff: Sendable {
    static let first = MediaTime.seconds(1)
    static let cap = MediaTime.seconds(60)
    static let resetAfter = MediaTime.seconds(60)
    static let jitter = 0.33

    private var step = 0
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func wasOnline(for span: MediaTime) {
        if span >= Self.resetAfter { step = 0 }
    }

    mutating func next() -> MediaTime {
        let full = min(Self.first.nanoseconds << Int64(min(step, 6)), Self.cap.nanoseconds)
        step += 1
        return MediaTime(nanoseconds: Int64(Double(full) * (1 - Self.jitter * random())))
    }

    /// Evenly from 0 to 1 (SplitMix64).
    private mutating func random() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) / Double(1 << 53)
    }
}
