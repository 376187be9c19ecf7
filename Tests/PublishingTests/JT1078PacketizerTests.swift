import Media
import NIOCore
import PlatformProtocol
import Publishing
import Testing

@Suite struct JT1078PacketizerTests {
    private static let stream = PhoneNumber("13800138000").map { JT1078Stream(sim: $0, channel: 3) }

    private func packets(_ out: ByteBuffer, simLength: Int = 6) -> [JT1078Reader.Packet] {
        var reader = JT1078Reader(simLength: simLength)
        let found = reader.feed(out.readableBytesView)
        #expect(reader.bufferedBytes == 0)
        #expect(reader.skippedBytes == 0)
        return found
    }

    private func frame(_ units: [[UInt8]]) -> ByteBuffer {
        var frame = ByteBuffer()
        for unit in units {
            frame.writeInteger(UInt32(unit.count))
            frame.writeBytes(unit)
        }
        return frame
    }

    private let format = VideoFormat(
        sps: TestStream.sps, pps: TestStream.pps, size: PictureSize(width: 1280, height: 720), frameRate: 25,
        bitrate: 0)

    /// Lengths around each border, and the bytes that come together again.
    @Test(arguments: [1, 945, 946, 947, 949, 950, 1896, 1897, 30000])
    func framesAreCutAtTheLimit(_ length: Int) throws {
        var packetizer = JT1078Packetizer(try #require(Self.stream))
        let unit = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        var out = ByteBuffer()
        packetizer.writeVideo(frame([unit]), key: nil, time: 40, to: &out)
        let found = packets(out)
        let data = [0, 0, 0, 1] + unit
        #expect(found.flatMap(\.data) == data)
        #expect(found.count == (data.count + 949) / 950)
        #expect(found.dropLast().allSatisfy { $0.data.count == 950 && !$0.header.isMarked })
        #expect(found.last?.header.isMarked == true)
        #expect(found.map(\.header.sequence) == (0..<found.count).map { UInt16($0) })
        let splits = found.map(\.header.split)
        switch found.count {
        case 1: #expect(splits == [.whole])
        default:
            #expect(splits.first == .first)
            #expect(splits.last == .last)
            #expect(splits.dropFirst().dropLast().allSatisfy { $0 == .middle })
        }
    }

    @Test func keyFramesCarryTheirParameterSetsAndIntervalsAreRight() throws {
        var packetizer = JT1078Packetizer(try #require(Self.stream))
        var out = ByteBuffer()
        packetizer.writeVideo(frame([[0x06, 1], [0x65, 2]]), key: format, time: 0, to: &out)
        packetizer.writeVideo(frame([[0x41, 3]]), key: nil, time: 40, to: &out)
        packetizer.writeAudio(ByteBuffer(bytes: [9]), payloadType: 19, time: 50, to: &out)
        packetizer.writeVideo(frame([[0x41, 4]]), key: nil, time: 80, to: &out)
        packetizer.writeVideo(frame([[0x65, 5]]), key: format, time: 100_000, to: &out)
        packetizer.writeVideo(frame([[0x41, 6]]), key: nil, time: 200_000, to: &out)
        let found = packets(out)
        let start: [UInt8] = [0, 0, 0, 1]
        #expect(
            found.first?.data == start + TestStream.sps + start + TestStream.pps + start + [0x06, 1] + start + [
                0x65, 2,
            ])
        #expect(found.map(\.header.kind) == [.keyFrame, .predicted, .audio, .predicted, .keyFrame, .predicted])
        #expect(found.map(\.header.payloadType) == [98, 98, 19, 98, 98, 98])
        #expect(found.map(\.header.sequence) == [0, 1, 2, 3, 4, 5])
        #expect(found.map(\.header.timestamp) == [0, 40, 50, 80, 100_000, 200_000])
        #expect(found.map(\.header.sinceKeyFrame) == [0, 40, 0, 80, 0, 65535])
        #expect(found.map(\.header.sinceFrame) == [0, 40, 0, 40, 65535, 65535])
        #expect(found.allSatisfy { $0.header.channel == 3 && hex($0.header.sim) == "013800138000" })
    }

    @Test func sequenceNumbersWrap() throws {
        var packetizer = JT1078Packetizer(try #require(Self.stream))
        var last: UInt16?
        for _ in 0..<70000 {
            var out = ByteBuffer()
            packetizer.writeAudio(ByteBuffer(bytes: [1]), payloadType: 6, time: 0, to: &out)
            let sequence = out.getInteger(at: 6, as: UInt16.self)
            if let last { #expect(sequence == last &+ 1) }
            last = sequence
        }
    }

    @Test func brokenFramesLoseTheirEndOnly() throws {
        var packetizer = JT1078Packetizer(try #require(Self.stream))
        var broken = frame([[0x41, 1]])
        broken.writeInteger(UInt32(100))
        broken.writeBytes([0x41, 2])
        var out = ByteBuffer()
        packetizer.writeVideo(broken, key: nil, time: 0, to: &out)
        #expect(packets(out).map(\.data) == [[0, 0, 0, 1, 0x41, 1]])
    }

    @Test func targets() throws {
        let target = try PushTarget("jt1078://media.example/013800138000/7?sim=10&audio=g711a")
        #expect(target.port == 1078)
        #expect(target.jt1078?.sim.digits == "13800138000")
        #expect(target.jt1078?.simLength == 10)
        #expect(target.jt1078?.audio == .g711a)
        #expect(target.jt1078?.channel == 7)
        #expect(target.redacted == "jt1078://media.example/013800138000/…")
        #expect(try PushTarget("jt1078+udp://[::1]:9/1/0").scheme == .jt1078UDP)
        for bad in ["1", "1/256", "x/1", "1/1?sim=7", "1/1?a=b", "1234567890123/1", "1/1/1"] {
            #expect(throws: PushTarget.ParseError.badTerminal) { try PushTarget("jt1078://h/\(bad)") }
        }
        let stream = try #require(Self.stream)
        for host in ["10.0.0.1", "::1", "media.example"] {
            let made = try #require(PushTarget(jt1078: stream, host: host, port: 99, isDatagram: true))
            #expect(made.host == host)
            #expect(made.port == 99)
            #expect(made.jt1078 == stream)
        }
        #expect(PushTarget(jt1078: stream, host: "a b", port: 1, isDatagram: false) == nil)
    }
}
