import Containers
import Media
import Testing

@Suite struct FileHeaderTests {
    @Test func readsY4M() throws {
        let header = try Y4MHeader(line: "YUV4MPEG2 W1280 H720 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420JPEG")
        #expect(header.size == PictureSize(width: 1280, height: 720))
        #expect(header.time(of: 30000) == .seconds(1001))
    }

    @Test(arguments: [
        "RIFF", "YUV4MPEG2 W1280 H720", "YUV4MPEG2 W1281 H720 F25:1", "YUV4MPEG2 W0 H0 F25:1",
        "YUV4MPEG2 W64 H64 F25:0",
        "YUV4MPEG2 W64 H64 F25:1 C444",
    ])
    func refusesBadY4M(line: String) {
        #expect(throws: Y4MHeader.ParseError.self) { try Y4MHeader(line: line) }
    }

    private let wav: [UInt8] = {
        let format: [UInt8] = [16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3E, 0, 0, 0, 0x7D, 0, 0, 2, 0, 16, 0]
        return [Array("RIFF".utf8), [36, 0, 0, 0], Array("WAVEfmt ".utf8), format, Array("data".utf8), [8, 0, 0, 0]]
            .flatMap(\.self)
    }()

    @Test func readsWAV() throws {
        let header = try WAVHeader(bytes: wav)
        #expect(header.rate == 16000)
        #expect(header.channels == 1)
        #expect(header.dataOffset == 44)
        #expect(header.dataLength == 8)
    }

    @Test func refusesBadWAV() {
        for length in 0..<wav.count - 8 {
            #expect(throws: WAVHeader.ParseError.self) { try WAVHeader(bytes: Array(self.wav.prefix(length))) }
        }
        var other = wav
        other[34] = 24
        #expect(throws: WAVHeader.ParseError.self) { try WAVHeader(bytes: other) }
    }
}
