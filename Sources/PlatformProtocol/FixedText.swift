/// A text in a field of fixed length. Kept as it came, since terminals pad in front or behind.
package struct FixedText: Sendable, Hashable, CustomStringConvertible {
    package let raw: [UInt8]

    package init(raw: [UInt8]) { self.raw = raw }

    /// Padded behind with zeros; cut where it is too long.
    package init(_ text: [UInt8], count: Int) {
        raw = Array(text.prefix(count)) + [UInt8](repeating: 0, count: max(count - text.count, 0))
    }

    package init(_ text: String, count: Int) { self.init(GBK.encode(text) ?? Array(text.utf8), count: count) }

    /// Without zeros and blanks at both ends.
    package var text: [UInt8] {
        var text = raw[...]
        while let first = text.first, first == 0 || first == 0x20 { text.removeFirst() }
        while let last = text.last, last == 0 || last == 0x20 { text.removeLast() }
        return Array(text)
    }

    package var description: String { GBK.decode(text) }
}
