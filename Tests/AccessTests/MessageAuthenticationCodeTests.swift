import Access
import Testing

@Suite struct MessageAuthenticationCodeTests {
    /// RFC 4231, 4.3 and 4.7.
    @Test func theExamples() {
        let second = MessageAuthenticationCode.make(
            of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hex.encode(second) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let sixth = MessageAuthenticationCode.make(
            of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            key: [UInt8](repeating: 0xAA, count: 131))
        #expect(Hex.encode(sixth) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }
}
