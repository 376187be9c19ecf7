/// Two decimal digits a byte, high nibble first.
package enum BCD {
    /// Digits above 9 are passed on as letters, so that nothing that was received is hidden.
    package static func digits(_ bytes: some Sequence<UInt8>) -> String { hex(bytes) }

    /// Padded in front with zeros; of a text that is too long, the last digits. Nil for other characters than digits.
    package static func bytes(_ digits: String, count: Int) -> [UInt8]? {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        var nibbles = digits.utf8.suffix(count * 2).map { $0 - 0x30 }
        nibbles.insert(contentsOf: repeatElement(0, count: count * 2 - nibbles.count), at: 0)
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}

/// The number that a platform knows a terminal by.
package struct PhoneNumber: Sendable, Hashable, CustomStringConvertible {
    /// Without leading zeros, as platforms compare it.
    package let digits: String

    /// Nil for anything but one to twenty digits.
    package init?(_ text: some StringProtocol) {
        guard (1...20).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        digits = String(text.drop { $0 == "0" })
    }

    /// Of a terminal that has none.
    package static let none = PhoneNumber()

    private init() { digits = "" }

    package var description: String { digits.isEmpty ? "0" : digits }

    package func bcd(_ count: Int) -> [UInt8] { BCD.bytes(digits, count: count) ?? [] }
}
