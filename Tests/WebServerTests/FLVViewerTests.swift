import Containers
import Media
import NIOCore
import NIOEmbedded
import Testing
import WebServer

@Suite struct FLVViewerTests {
    private let get = "GET /ipc.flv?action=live&channel=0&quality=high HTTP/1.1"

    @Test func httpViewerGetsTheCachedGroupInOneBlock() throws {
        let rig = Rig()
        rig.publish(
            TestStream.frame(key: true, at: 1000, length: 5000), TestStream.frame(.audio, at: 1010, length: 200),
            TestStream.frame(at: 1040))
        let channel = try rig.connect()
        try channel.writeInbound(ByteBuffer(string: get + "\r\nHost: a\r\n\r\n"))
        rig.loop.run()
        let (head, body) = split(try rig.output(channel))
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("\r\nContent-Type: video/x-flv"))
        #expect(head.contains("\r\nCache-Control: no-cache, no-store"))
        #expect(head.contains("\r\nConnection: close"))
        #expect(head.contains("\r\nX-Accel-Buffering: no"))
        #expect(!head.contains("\r\nContent-Length:"))
        let (reader, tags) = try tags(body)
        #expect(reader.hasVideo && reader.hasAudio)
        #expect(tags.map(\.kind) == [.script, .video, .audio, .video, .audio, .video])
        #expect(tags.map(\.timestamp) == [0, 0, 0, 0, 10, 40])
        guard case .script("onMetaData", let metadata)? = FLVPayload(tags[0]) else { throw Broken() }
        #expect(metadata["width"]?.number == 320)
        guard case .avcSequenceHeader? = FLVPayload(tags[1]), case .aacSequenceHeader? = FLVPayload(tags[2]),
            case .avc(isKey: true, _, let data)? = FLVPayload(tags[3])
        else { throw Broken() }
        #expect(data.readableBytes == 4995)
        #expect(rig.registry.totals.connected == 1)
        #expect(try channel.finish().isClean)
        #expect(rig.registry.totals.connected == 0)
        #expect(rig.agent.main.subscriberCount == 0)
        #expect(rig.registry.totals.framesSent == 3)
    }

    struct Broken: Error {}

    @Test func viewerOfAnIdleStreamGetsTheHeadAtOnceAndFramesLater() throws {
        let rig = Rig()
        let channel = try rig.connect()
        let head = try rig.request(channel, get, "Host: a")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        rig.publish(TestStream.frame(.audio, at: 0, length: 300), TestStream.frame(at: 5))
        #expect(try rig.output(channel).readableBytes == 0)
        rig.publish(TestStream.frame(key: true, at: 40), TestStream.frame(.audio, at: 50, length: 600))
        let (_, tags) = try tags(rig.output(channel))
        #expect(tags.map(\.timestamp) == [0, 0, 0, 0, 10])
        // Length borders of what is copied and what is shared.
        for length in [FLVTag.trailerLength + 1, 507, 508, 509, 20_000] {
            rig.publish(TestStream.frame(at: 1000 + Int64(length), length: length))
        }
        let sizes = try output(rig, channel)
        #expect(sizes.map(\.body.readableBytes) == [5, 507, 508, 509, 20_000])
        _ = try channel.finish()
    }

    private func output(_ rig: Rig, _ channel: EmbeddedChannel) throws -> [FLVReader.Tag] {
        var stream = FLVWriter.header(hasVideo: true, hasAudio: true)
        stream.writeImmutableBuffer(try rig.output(channel))
        return try tags(stream).tags
    }

    @Test func headersComeAgainWhenTheFormatChanges() throws {
        let rig = Rig()
        let channel = try rig.connect()
        rig.publish(TestStream.frame(key: true, at: 0))
        _ = try rig.request(channel, get)
        rig.agent.main.setFormat(
            video: VideoFormat(
                sps: TestStream.video.sps, pps: [0x68, 0xCE, 0x38, 0x80], size: TestStream.video.size, frameRate: 15,
                bitrate: 1))
        rig.publish(TestStream.frame(key: true, at: 400))
        let again = try output(rig, channel)
        #expect(again.map(\.kind) == [.script, .video, .audio, .video])
        #expect(again.map(\.timestamp) == [400, 400, 400, 400])
        _ = try channel.finish()
    }

    @Test(arguments: [125, 126, 65535, 65536])
    func webSocketFramesAreExactAtTheLengthBorders(_ payload: Int) throws {
        let rig = Rig()
        let channel = try rig.connect()
        rig.publish(TestStream.frame(key: true, at: 0))
        let answer = try rig.request(channel, Rig.handshake)
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        let length = payload - FLVTag.headerLength - FLVTag.trailerLength
        rig.publish(TestStream.frame(at: 40, length: length))
        let frames = ServerFrame.all(in: try rig.output(channel))
        #expect(frames.count == 1)
        #expect(frames.first?.opcode == 2)
        #expect(frames.first?.payload.readableBytes == payload)
        #expect(frames.first?.headerLength == (payload < 126 ? 2 : payload < 65536 ? 4 : 10))
        _ = try channel.finish()
    }

    @Test func webSocketMessagesJoinedAreTheStream() throws {
        let rig = Rig()
        rig.publish(TestStream.frame(key: true, at: 0), TestStream.frame(at: 40), TestStream.frame(.audio, at: 41))
        let channel = try rig.connect()
        try channel.writeInbound(
            ByteBuffer(string: Rig.handshake + "\r\nSec-WebSocket-Protocol: flv, other\r\nOrigin: http://a\r\n\r\n"))
        rig.loop.run()
        let (head, body) = split(try rig.output(channel))
        // The example of RFC 6455, 1.3.
        #expect(head.lowercased().contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="))
        #expect(head.contains("\r\nSec-WebSocket-Protocol: flv\r\n"))
        #expect(!head.contains("Extensions"))
        let frames = ServerFrame.all(in: body)
        #expect(frames.count == 4)
        // Header, metadata and set-ups are the first message.
        #expect(try tags(frames[0].payload).tags.map(\.kind) == [.script, .video, .audio])
        #expect(try tags(ServerFrame.stream(frames)).tags.map(\.timestamp) == [0, 0, 0, 0, 40, 41])
        _ = try channel.finish()
    }

    @Test func slowViewerResumesAtAKeyFrameAndOthersMissNothing() throws {
        let rig = Rig(queue: 10_000)
        rig.publish(TestStream.frame(key: true, at: 0))
        let (slow, quick) = (try rig.connect(), try rig.connect())
        _ = try rig.request(slow, get)
        _ = try rig.request(quick, get)
        slow.isWritable = false
        slow.pipeline.fireChannelWritabilityChanged()
        for index in 1...30 { rig.publish(TestStream.frame(key: index % 10 == 0, at: Int64(index) * 40)) }
        #expect(try output(rig, slow).isEmpty)
        #expect(try output(rig, quick).count == 30)
        slow.isWritable = true
        slow.pipeline.fireChannelWritabilityChanged()
        rig.publish(TestStream.frame(at: 31 * 40))
        let resumed = try output(rig, slow)
        guard let first = resumed.first, case .avc(isKey: true, _, _)? = FLVPayload(first) else { throw Broken() }
        #expect(first.timestamp == 1200)
        #expect(resumed.map(\.timestamp) == [1200, 1240])
        _ = try slow.finish()
        _ = try quick.finish()
        #expect(rig.registry.totals.framesDropped == 29)
    }

    @Test func endOfTheStreamIsSaid() throws {
        let rig = Rig()
        let (http, webSocket) = (try rig.connect(), try rig.connect())
        _ = try rig.request(http, get)
        _ = try rig.request(webSocket, Rig.handshake)
        rig.agent.main.close()
        rig.loop.run()
        #expect(!http.isActive)
        #expect(!webSocket.isActive)
        let farewell = ServerFrame.all(in: try rig.output(webSocket))
        #expect(farewell.map(\.opcode) == [8])
        #expect(farewell.first?.payload.getInteger(at: 0, as: UInt16.self) == 1000)
        let late = try rig.connect()
        #expect(try rig.request(late, get).hasPrefix("HTTP/1.1 503 "))
        #expect(!late.isActive)
        #expect(rig.registry.totals.connected == 0)
    }

    @Test func strayBytesOfAnHTTPViewerAreIgnoredWithinLimits() throws {
        let rig = Rig()
        let channel = try rig.connect()
        // The next request comes in the same packet, and more later.
        let more = "GET / HTTP/1.1\r\n\r\nGET / HT"
        #expect(try rig.request(channel, get + "\r\n\r\n" + more).hasPrefix("HTTP/1.1 200 OK"))
        try channel.writeInbound(ByteBuffer(string: "TP/1.1\r\n\r\n\u{0}\u{1}"))
        #expect(channel.isActive)
        rig.publish(TestStream.frame(key: true, at: 0))
        #expect(try tags(rig.output(channel)).tags.count == 4)
        for _ in 0..<300 where channel.isActive { try channel.writeInbound(ByteBuffer(string: "x")) }
        #expect(!channel.isActive)
        #expect(rig.registry.totals.connected == 0)
    }

    // MARK: WebSocket control frames

    private func webSocket(_ rig: Rig) throws -> EmbeddedChannel {
        let channel = try rig.connect()
        #expect(try rig.request(channel, Rig.handshake).hasPrefix("HTTP/1.1 101 "))
        return channel
    }

    @Test func pingIsAnsweredAndTextIgnored() throws {
        let rig = Rig()
        let channel = try webSocket(rig)
        try channel.writeInbound(ByteBuffer(bytes: clientFrame(opcode: 1, Array("hello".utf8))))
        try channel.writeInbound(ByteBuffer(bytes: clientFrame(opcode: 9, [1, 2, 3])))
        let frames = ServerFrame.all(in: try rig.output(channel))
        #expect(frames.map(\.opcode) == [10])
        #expect(frames.first.map { Array($0.payload.readableBytesView) } == [1, 2, 3])
        #expect(channel.isActive)
        _ = try channel.finish()
    }

    @Test func framesInThePacketOfTheHandshakeAreNotLost() throws {
        let rig = Rig()
        let channel = try rig.connect()
        var bytes = ByteBuffer(string: Rig.handshake + "\r\n\r\n")
        bytes.writeBytes(clientFrame(opcode: 9, [7]))
        try channel.writeInbound(bytes)
        rig.loop.run()
        let frames = ServerFrame.all(in: split(try rig.output(channel)).body)
        #expect(frames.map(\.opcode) == [10])
        _ = try channel.finish()
    }

    @Test func closeIsAnswered() throws {
        let rig = Rig()
        let channel = try webSocket(rig)
        try channel.writeInbound(ByteBuffer(bytes: clientFrame(opcode: 8, [0x03, 0xE8, 0x62])))
        let frames = ServerFrame.all(in: try rig.output(channel))
        #expect(frames.map(\.opcode) == [8])
        #expect(frames.first.map { Array($0.payload.readableBytesView) } == [0x03, 0xE8])
        #expect(!channel.isActive)
        #expect(rig.registry.totals.connected == 0)
    }

    struct Misbehaviour: Sendable, CustomStringConvertible {
        let description: String
        let bytes: [UInt8]
        let code: UInt16

        init(_ description: String, _ bytes: [UInt8], _ code: UInt16) {
            self.description = description
            self.bytes = bytes
            self.code = code
        }
    }

    static let misbehaviours: [Misbehaviour] = [
        .init("unmasked", clientFrame(opcode: 1, [1], masked: false), 1002),
        .init("continues nothing", clientFrame(opcode: 0, [1]), 1002),
        .init("unknown opcode", clientFrame(opcode: 3), 1002),
        .init("half a close code", clientFrame(opcode: 8, [1]), 1002),
        .init("fragmented ping", clientFrame(opcode: 9, final: false), 1002),
        .init("long", clientFrame(opcode: 2, [UInt8](repeating: 0, count: 4097)), 1009),
        .init("reserved bit", [0xC1, 0x80, 1, 2, 3, 4], 1002),
        .init("message in a message", clientFrame(opcode: 1, final: false) + clientFrame(opcode: 1), 1002),
        .init("many fragments", (0..<65).flatMap { clientFrame(opcode: $0 == 0 ? 2 : 0, final: false) }, 1009),
    ]

    @Test(arguments: misbehaviours)
    func misbehaviourIsNamed(_ example: Misbehaviour) throws {
        let rig = Rig()
        let channel = try webSocket(rig)
        _ = try? channel.writeInbound(ByteBuffer(bytes: example.bytes))
        let frames = ServerFrame.all(in: try rig.output(channel))
        #expect(frames.first?.opcode == 8)
        #expect(frames.first?.payload.getInteger(at: 0, as: UInt16.self) == example.code)
        #expect(!channel.isActive)
    }

    @Test func viewerThatAnswersNoPingIsGone() throws {
        let rig = Rig()
        let (dead, alive) = (try webSocket(rig), try webSocket(rig))
        for _ in 0..<60 {
            rig.loop.advanceTime(by: .seconds(1))
            if ServerFrame.all(in: try rig.output(alive)).contains(where: { $0.opcode == 9 }) {
                try alive.writeInbound(ByteBuffer(bytes: clientFrame(opcode: 10)))
            }
        }
        #expect(!dead.isActive)
        #expect(ServerFrame.all(in: try rig.output(dead)).map(\.opcode) == [9, 9])
        #expect(alive.isActive)
        #expect(rig.registry.totals.connected == 1)
        _ = try alive.finish()
    }

    /// A million mutated messages through the whole connection: each is ignored, answered or ends it, and nothing
    /// piles up.
    @Test func webSocketReaderSurvivesMutations() throws {
        var random = SplitMix64(seed: 0xf1f0)
        var seeds = [
            clientFrame(opcode: 1, Array("hello".utf8)), clientFrame(opcode: 2, [UInt8](repeating: 7, count: 200)),
            clientFrame(opcode: 9, [1, 2]), clientFrame(opcode: 10, [1, 2, 3, 4]),
            clientFrame(opcode: 9, [UInt8](repeating: 9, count: 125)),
            clientFrame(opcode: 1, [1, 2], final: false) + clientFrame(opcode: 0, [3]),
        ]
        let rig = Rig(limit: 4)
        var connections = 0
        var messages = 0
        var answers = 0
        while messages < 1_000_000 {
            if connections % 4 == 0 { seeds[0] = clientFrame(opcode: connections % 8 == 0 ? 8 : 1, [3, 0xE8, 0x41]) }
            let channel = try webSocket(rig)
            connections += 1
            var unread = 0
            while channel.isActive, messages < 1_000_000 {
                // Most changes spare the frame's head, or hardly any connection would live for more than one message.
                var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
                for _ in 0..<(1 + random.next() % 3) {
                    let spared = random.next() % 8 == 0 ? 0 : min(6, bytes.count - 1)
                    let place = spared + Int(random.next() % UInt64(bytes.count - spared))
                    switch random.next() % (spared == 0 ? 4 : 2) {
                    case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
                    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                    case 2 where bytes.count > 1: bytes.remove(at: place)
                    default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                    }
                }
                messages += 1
                // What is refused is also thrown here, by the test's channel.
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
                while let answer = try channel.readOutbound(as: ByteBuffer.self) {
                    answers += 1
                    unread = max(unread, answer.readableBytes)
                }
            }
            #expect(unread <= 2 + WebSocketReader.maximumFrameBytes)
            _ = try? channel.finish(acceptAlreadyClosed: true)
            #expect(rig.registry.totals.connected == 0)
        }
        #expect(connections > 1000)
        #expect(answers > 10_000)
    }
}

/// Seeded, so that a failure can be repeated.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
