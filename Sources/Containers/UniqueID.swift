/// 128 bits that are nobody else's: a UUID (RFC 9562).
package struct UniqueID: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Version 4: 122 random bits (5.4).
    package static func random() -> UniqueID {
        var generator = SystemRandomNumberGenerator()
        return UniqueID(
            high: generator.next() & ~0xF000 | 0x4000, low: generator.next() & ~(3 << 62) | 1 << 63)
    }

    /// Reads 32 hexadecimal digits, with the usual four hyphens or without, as the kernel and systemd print them.
    package init?(_ text: some StringProtocol) {
        var value: (high: UInt64, low: UInt64) = (0, 0)
        var digits = 0
        for (index, character) in text.utf8.enumerated() {
            if character == UInt8(ascii: "-"), [8, 13, 18, 23].contains(index), text.utf8.count == 36 { continue }
            guard digits < 32, let digit = Self.digit(character) else { return nil }
            if digits < 16 { value.high = value.high << 4 | digit } else { value.low = value.low << 4 | digit }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: value.high, low: value.low)
    }

    private static func digit(_ character: UInt8) -> UInt64? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(character - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(character - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(character - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Lower case, with hyphens (4).
    package var description: String {
        let groups = [
            (high >> 32, 8), (high >> 16 & 0xFFFF, 4), (high & 0xFFFF, 4), (low >> 48, 4), (low & 0xFFFF_FFFF_FFFF, 12),
        ]
        return groups.map { value, width in
            let text = String(value, radix: 16)
            return String(repeating: "0", count: width - text.count) + text
        }.joined(separator: "-")
    }
}
