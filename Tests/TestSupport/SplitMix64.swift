/// A generator with a seed, so that what fails once fails again.
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}

/// Changes a valid input a little: bytes, runs, cuts, repeats.
package func mutate(_ bytes: inout [UInt8], using random: inout SplitMix64) {
    for _ in 0...random.below(4) {
        guard !bytes.isEmpty else { return }
        let place = random.below(bytes.count)
        switch random.below(7) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] ^= 1 << UInt8(random.below(8))
        case 2: bytes[place] = [0, 0xFF, 0x7F, 0x80][random.below(4)]
        case 3: bytes.removeSubrange(place..<min(place + 1 + random.below(8), bytes.count))
        case 4: bytes.insert(contentsOf: (0...random.below(8)).map { _ in UInt8(random.below(256)) }, at: place)
        case 5: bytes.removeSubrange(place...)
        default: bytes += bytes[place..<min(place + 32, bytes.count)]
        }
    }
}
