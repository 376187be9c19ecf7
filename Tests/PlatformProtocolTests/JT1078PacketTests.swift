import PlatformProtocol
import Testing

@Suite struct JT1078PacketTests {
    private func header(_ kind: JT1078Header.Kind, simLength: Int, dataLength: Int) -> JT1078Header {
        JT1078Header(
            payloadType: 98, sequence: 0x1234, sim: PhoneNumber("13800138000")?.bcd(simLength) ?? [], channel: 2,
            kind: kind, split: .first, timestamp: 0x0102, sinceKeyFrame: 3, sinceFrame: 4, dataLength: dataLength)
    }

    @Test func headersOfEachKind() {
        let start = "303163648162" + "1234"
        let time = "0000000000000102"
        #expect(
            hex(header(.predicted, simLength: 6, dataLength: 5).bytes)
                == start + "013800138000" + "0211" + time + "00030004" + "0005")
        #expect(
            hex(header(.audio, simLength: 10, dataLength: 5).bytes)
                == start + "00000000013800138000" + "0231" + time + "0005")
        #expect(
            hex(header(.passThrough, simLength: 6, dataLength: 5).bytes) == start + "013800138000" + "0241" + "0005")
        for (kind, length) in [
            (JT1078Header.Kind.keyFrame, 30), (.predicted, 30), (.bidirectional, 30), (.audio, 26), (.passThrough, 18),
        ] {
            #expect(header(kind, simLength: 6, dataLength: 0).bytes.count == length)
            #expect(header(kind, simLength: 10, dataLength: 0).bytes.count == length + 4)
        }
    }

    @Test(arguments: [6, 10]) func packetsAreFoundWhereverTheBytesAreCut(_ simLength: Int) {
        var stream: [UInt8] = [0x30, 0x31, 0x63, 0x30]
        var expected: [[UInt8]] = []
        for kind in [JT1078Header.Kind.keyFrame, .audio, .passThrough] {
            let data = [UInt8](repeating: 0x30, count: 40 + Int(kind.rawValue))
            stream += header(kind, simLength: simLength, dataLength: data.count).bytes + data
            expected.append(data)
            // A packet of an unknown kind, and one that is too long, are skipped.
            stream += JT1078Header.marker + [UInt8](repeating: 0xFF, count: 40)
        }
        for cut in 0...stream.count {
            var reader = JT1078Reader(simLength: simLength)
            let packets = reader.feed(stream[..<cut]) + reader.feed(stream[cut...])
            #expect(packets.map(\.data) == expected)
        }
    }

    @Test func readingIsBounded() {
        var reader = JT1078Reader(simLength: 6)
        _ = reader.feed(header(.audio, simLength: 6, dataLength: JT1078Header.maximumReceivedData + 1).bytes)
        for _ in 0..<100 {
            _ = reader.feed([UInt8](repeating: 1, count: 1000))
            #expect(reader.bufferedBytes < 1100)
        }
    }

    @Test func decodingGuessesTheLengthOfTheSIM() throws {
        for simLength in [6, 10] {
            let bytes = header(.predicted, simLength: simLength, dataLength: 3).bytes + [1, 2, 3]
            let fields = try #require(JT1078Decoding.packet(bytes))
            #expect(fields["simBytes"] == .number(simLength))
            #expect(fields["encoded"] == .text(hex(bytes)))
        }
        #expect(JT1078Decoding.packet([1, 2, 3]) == nil)
    }
}
