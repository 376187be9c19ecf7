/// A long-lived secret, as people and programs are given it: 26 letters and digits in groups, 130 random bits, without
/// those that are taken for one another (the alphabet of Crockford's Base32).
package struct AccessToken: Sendable, Hashable {
    package static let characterCount = 26
    /// Longer texts are not looked at.
    package static let maximumBytes = 64
    private static let groupLength = 5
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// Without hyphens, in lower case.
    private let characters: [UInt8]

    package static func random() -> AccessToken {
        var generator = SystemRandomNumberGenerator()
        return AccessToken((0..<characterCount).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] })
    }

    private init(_ characters: [UInt8]) { self.characters = characters }

    /// As it was read from a screen: in any case, with or without hyphens, with `o` for 0 and `i` or `l` for 1.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var characters: [UInt8] = []
        for byte in text.utf8 where byte != UInt8(ascii: "-") {
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            let small = isCapital ? byte + 32 : byte
            let read: UInt8 =
                switch small {
                case UInt8(ascii: "o"): UInt8(ascii: "0")
                case UInt8(ascii: "i"), UInt8(ascii: "l"): UInt8(ascii: "1")
                default: small
                }
            guard Self.alphabet.contains(read) else { return nil }
            characters.append(read)
        }
        guard characters.count == Self.characterCount else { return nil }
        self.characters = characters
    }

    package var text: String {
        stride(from: 0, to: characters.count, by: Self.groupLength).map { start in
            String(decoding: characters[start..<min(start + Self.groupLength, characters.count)], as: UTF8.self)
        }.joined(separator: "-")
    }

    /// What is kept of it. A token has too many values for guessing, so a fast hash does.
    package var digest: [UInt8] { SHA256.hash(characters) }
}
