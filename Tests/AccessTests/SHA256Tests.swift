import Access
import Testing

@Suite struct SHA256Tests {
    /// FIPS 180-4's examples, and lengths around the block's.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func theExamples(_ text: String, _ hash: String) { #expect(Hex.encode(SHA256.hash(Array(text.utf8))) == hash) }

    @Test func aMillionLetters() {
        let hash = SHA256.hash([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(Hex.encode(hash) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// The hash of the hashes of all lengths up to three blocks, as hashlib of Python has it.
    @Test func everyLengthUpToThreeBlocks() {
        let all = (0...192).flatMap { length in SHA256.hash((0..<length).map { UInt8($0) }) }
        #expect(Hex.encode(SHA256.hash(all)) == "79eb9ac3f5b94a477808fa851afb214408e787ed21459d0503b2fac4a445fee6")
    }

    @Test func hexadecimalDigits() {
        #expect(Hex.encode([0, 0xAB, 0xFF]) == "00abff")
        #expect(Hex.decode("00abff") == [0, 0xAB, 0xFF])
        for text in ["0", "0g", "AB", " 0", "é"] { #expect(Hex.decode(text) == nil) }
    }
}
