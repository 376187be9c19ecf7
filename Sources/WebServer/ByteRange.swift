/// The part of a file that a client asks for (RFC 9110, 14.2), as browsers and download programs do that go on where they
/// were cut off. Anything but one plain range of bytes is ignored, as that standard wants it.
package struct ByteRange: Sendable, Hashable {
    private let first: Int64?
    private let last: Int64?

    private init(first: Int64?, last: Int64?) {
        self.first = first
        self.last = last
    }

    /// - Parameter text: such as "bytes=100-199", "bytes=100-" or, for the last hundred, "bytes=-100".
    package init?(_ text: String) {
        guard text.utf8.count <= 64, text.lowercased().hasPrefix("bytes=") else { return nil }
        let parts = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let numbers = parts.map(Self.number)
        for (part, number) in zip(parts, numbers) where !part.isEmpty && number == nil { return nil }
        guard numbers[0] != nil || numbers[1] != nil else { return nil }
        if let first = numbers[0], let last = numbers[1], last < first { return nil }
        self.init(first: numbers[0], last: numbers[1])
    }

    private static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int64(text) : nil
    }

    /// Nil where a file of this length has nothing of it.
    package func bytes(of length: Int64) -> Range<Int64>? {
        guard let first else {
            let count = min(last ?? 0, length)
            return count > 0 ? length - count..<length : nil
        }
        guard first < length else { return nil }
        return first..<(last.map { min($0, length - 1) + 1 } ?? length)
    }
}
