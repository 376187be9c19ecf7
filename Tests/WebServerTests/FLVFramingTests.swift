import NIOCore
import Testing
import WebServer

@Suite struct FLVFramingTests {
    private func framed(_ framing: FLVFraming, _ payloads: [Int]) -> String {
        var buffer = ByteBuffer()
        for (index, count) in payloads.enumerated() {
            framing.writeHeader(payload: count, isFirst: index == 0, to: &buffer)
            buffer.writeRepeatingByte(UInt8(ascii: "x"), count: count)
        }
        var end = framing.end(isFirst: payloads.isEmpty)
        buffer.writeBuffer(&end)
        return String(buffer: buffer)
    }

    @Test func chunksAreWholeAtTheEnd() {
        #expect(framed(.chunked, [3, 17]) == "3\r\nxxx\r\n11\r\nxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n")
        #expect(framed(.chunked, []) == "0\r\n\r\n")
    }

    @Test func withoutFramingBytesStayAsTheyAre() {
        #expect(framed(.http, [3, 2]) == "xxxxx")
    }
}
