import NIOCore
import NIOWebSocket
import Testing
import WebServer

@Suite struct WebSocketReaderTests {
    private func frame(_ opcode: WebSocketOpcode, _ bytes: [UInt8], fin: Bool = true) -> WebSocketFrame {
        let key = WebSocketMaskingKey([1, 2, 3, 4])
        return WebSocketFrame(
            fin: fin, opcode: opcode, maskKey: key,
            data: ByteBuffer(bytes: bytes.enumerated().map { $1 ^ UInt8($0 % 4 + 1) }))
    }

    @Test func aTalkersBinaryMessagesAreDataInAnyPieces() {
        var reader = WebSocketReader(maximumFrameBytes: 100)
        #expect(reader.take(frame(.binary, [1, 2, 3])) == .data(ByteBuffer(bytes: [1, 2, 3])))
        #expect(reader.take(frame(.binary, [4], fin: false)) == .data(ByteBuffer(bytes: [4])))
        #expect(reader.take(frame(.ping, [9])) == .pong(ByteBuffer(bytes: [9])))
        // A message may last as long as the talk.
        for _ in 0..<1000 {
            #expect(reader.take(frame(.continuation, [5], fin: false)) == .data(ByteBuffer(bytes: [5])))
        }
        #expect(reader.take(frame(.continuation, [6])) == .data(ByteBuffer(bytes: [6])))
        #expect(reader.take(frame(.text, [7])) == .none)
    }

    @Test func tooLongFramesAndOutsidersAreRefused() {
        var reader = WebSocketReader(maximumFrameBytes: 100)
        #expect(reader.take(frame(.binary, [UInt8](repeating: 0, count: 101))) == .fail(.tooLong, "frame too long"))
        #expect(reader.take(frame(.continuation, [1])) == .fail(.protocolError, "nothing to continue"))
    }

    @Test func whoOnlyWatchesHasNoData() {
        var reader = WebSocketReader()
        #expect(reader.take(frame(.binary, [1, 2, 3])) == .none)
        #expect(reader.take(frame(.binary, [1], fin: false)) == .none)
        for _ in 1..<WebSocketReader.maximumFragments {
            #expect(reader.take(frame(.continuation, [1], fin: false)) == .none)
        }
        #expect(reader.take(frame(.continuation, [1])) == .fail(.tooLong, "too many fragments"))
    }
}
