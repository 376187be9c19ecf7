import Testing
import WebServer

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            ("bytes=0-", 0..<100), ("bytes=40-", 40..<100), ("bytes=40-59", 40..<60), ("Bytes=99-99", 99..<100),
            ("bytes=40-1000", 40..<100), ("bytes=-10", 90..<100), ("bytes=-1000", 0..<100), ("bytes=0-0", 0..<1),
        ] as [(String, Range<Int64>)])
    func partsOfAFile(_ text: String, _ bytes: Range<Int64>) {
        #expect(ByteRange(text)?.bytes(of: 100) == bytes)
    }

    @Test(arguments: ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9223372036854775807-"])
    func beyondTheEnd(_ text: String) throws {
        #expect(try #require(ByteRange(text)).bytes(of: 100) == nil)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-5", "bytes=a-b", "bytes=1-2,5-6", "bytes=+1-2",
        "lines=1-2",
        "bytes=1-2-3", "bytes=--5", "bytes=99999999999999999999-", "bytes=٣-٤", "bytes= 1-2",
        "bytes=" + String(repeating: "1", count: 100) + "-",
    ])
    func whatIsNoRangeIsIgnored(_ text: String) {
        #expect(ByteRange(text) == nil)
    }

    @Test func anEmptyFileHasNoParts() throws {
        #expect(try #require(ByteRange("bytes=0-")).bytes(of: 0) == nil)
        #expect(try #require(ByteRange("bytes=-5")).bytes(of: 0) == nil)
    }
}
