import Access
import Configuration
import Containers
import ControlProtocol
import Media
import NIOCore
import NIOWebSocket
import PeerToPeer
import PlatformLink
import PlatformProtocol
import Publishing
import Rendezvous
import Signalling
import Talkback
import WebServer

/// A parser that strangers reach, what it is begun with, and how it is given bytes.
struct FuzzTarget: Sendable {
    let name: String
    let seeds: @Sendable () -> [[UInt8]]
    let run: @Sendable ([UInt8]) -> Void

    init(
        _ name: String, seeds: @escaping @autoclosure @Sendable () -> [[UInt8]],
        _ run: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    static let all = web + peers + media + services + platforms + device

    private static func text(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// The first byte says where the rest is cut, so that readers meet every boundary.
    private static func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        guard let first = bytes.first else { return [] }
        let rest = bytes.dropFirst()
        let cut = rest.startIndex + Int(first) % (rest.count + 1)
        return [rest[..<cut], rest[cut...]]
    }

    // MARK: Viewers over HTTP and WebSocket

    private static let web = [
        FuzzTarget(
            "requestQuery",
            seeds: text(
                "action=live&channel=0&quality=high", "action=playback&channel=1&start_time=1&end_time=9&_progress=5",
                "action=download&channel=0&file_name=20261120%2F214500-main-1f0c39ab.mp4&offset=10")
        ) { bytes in
            guard let query = try? RequestQuery(String(decoding: bytes, as: UTF8.self)) else { return }
            _ = try? StreamRequest(query, hasChannel: { $0 < 4 })
        },
        FuzzTarget(
            "commandText",
            seeds: text(
                "action=inner_define&channel=0&cmd=get_device_st&type=live", "action=user_define&channel=0&cmd=ptz_left"
            )
        ) { _ = try? CommandText(String(decoding: $0, as: UTF8.self)) },
        FuzzTarget(
            "json",
            seeds: text(
                #"{"cmd":"ptz","data":[1,-2.5e3,true,null,"\u00e4\ud83d\ude00"]}"#, "[[[[{}]]]]", #""text""#)
        ) { bytes in
            if let value = JSONReader.read(bytes) { _ = PTZMessage(value) }
        },
        FuzzTarget(
            "credential",
            seeds: text("Bearer abcd-efgh-ijkl-mnop", "Basic YTpi", "bearer a.b.c", "ABCDE-FGHJK-MNPQR-STVWX")
        ) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = AccessToken(Credential.bearer(["Authorization": text]) ?? text)
        },
        FuzzTarget("byteRange", seeds: text("bytes=0-", "bytes=10-20", "bytes=-5")) { bytes in
            let range = ByteRange(String(decoding: bytes, as: UTF8.self))
            if let found = range?.bytes(of: 1000) { precondition(found.lowerBound >= 0 && found.upperBound <= 1000) }
        },
        FuzzTarget("webSocket", seeds: [[0, 0x82, 3, 1, 2, 3], [0, 0x88, 2, 3, 0xE8], [0, 0x89, 1, 9, 0x80, 0]]) {
            bytes in
            var reader = WebSocketReader(maximumFrameBytes: 64 << 10)
            var rest = bytes[...]
            while rest.count > 2 {
                let count = min(Int(rest[rest.startIndex + 1]), rest.count - 2)
                let head = rest[rest.startIndex]
                guard let opcode = WebSocketOpcode(encodedWebSocketOpcode: head & 15) else { return }
                let payload = ByteBuffer(bytes: rest.dropFirst(2).prefix(count))
                _ = reader.take(WebSocketFrame(fin: head & 128 != 0, opcode: opcode, data: payload))
                rest = rest.dropFirst(2 + count)
            }
        },
        FuzzTarget("talkBody", seeds: [[9] + talk, [3] + [UInt8](repeating: 7, count: 40)]) { bytes in
            var body = TalkBody(pcmRate: 8000)
            for piece in pieces(bytes) where (try? body.take(ByteBuffer(bytes: piece))) == nil { return }
        },
    ]

    /// An FLV with AAC's set-up and one frame.
    private static let talk: [UInt8] =
        [0x46, 0x4C, 0x56, 1, 4, 0, 0, 0, 9, 0, 0, 0, 0] + [8, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0xAF, 0, 0x14, 0x08]
        + [0, 0, 0, 15] + [8, 0, 0, 5, 0, 0, 10, 0, 0, 0, 0, 0xAF, 1, 0x21, 0x10, 4] + [0, 0, 0, 16]

    // MARK: Peers

    private static let offer = """
        v=0\r
        o=- 1 2 IN IP4 127.0.0.1\r
        s=-\r
        t=0 0\r
        a=group:BUNDLE 0\r
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
        c=IN IP4 0.0.0.0\r
        a=candidate:1 1 udp 2122260223 192.0.2.7 51234 typ host generation 0\r
        a=ice-ufrag:abcd\r
        a=ice-pwd:abcdefghijklmnopqrstuvwx\r
        a=fingerprint:sha-256 \(String(repeating: "AB:", count: 31))AB\r
        a=setup:actpass\r
        a=mid:0\r
        a=sctp-port:5000\r
        a=max-message-size:262144\r

        """

    private static func read(_ message: STUNMessage?) {
        guard let message else { return }
        _ = (
            message.text(.realm), message.text(.nonce), message.address(.xorMappedAddress),
            message.address(.mappedAddress)
        )
        _ = message.isAuthentic([1, 2, 3])
    }

    private static let peers = [
        FuzzTarget("description", seeds: text(offer)) {
            _ = try? SessionDescription(String(decoding: $0, as: UTF8.self))
        },
        FuzzTarget(
            "candidates",
            seeds: text(
                "a=ice-ufrag:abcd\r\na=candidate:1 1 udp 2122260223 192.0.2.7 51234 typ host\r\na=end-of-candidates\r\n",
                "a=candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active\r\n")
        ) { _ = CandidateFragment(String(decoding: $0, as: UTF8.self)) },
        FuzzTarget(
            "channelOpening",
            seeds: [
                Array(
                    ChannelEstablishment.open(ChannelOpening(label: "GET ipc.flv?action=live")).bytes.readableBytesView),
                [2],
            ]
        ) { _ = ChannelEstablishment(ByteBuffer(bytes: $0)) },
        FuzzTarget(
            "requestLabel",
            seeds: text("GET ipc.flv?action=live&channel=0", "COMMAND action=user_define&cmd=x", "VOICE channel=0")
        ) { _ = PeerRequestLabel(String(decoding: $0, as: UTF8.self)) },
        FuzzTarget(
            "ticket",
            seeds: text(
                "XP2PeyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJkIiwiZXhwIjoxfQ.AAAA%2.4",
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiJhIiwiYXVkIjoiZCIsImV4cCI6OTksInJpZ2h0cyI6WyJsaXZlIl19.AAAA"
            )
        ) { _ = try? Ticket(String(decoding: $0, as: UTF8.self)) { _ in [0, 0, 0] } },
        // Behind a signature that fits.
        FuzzTarget(
            "ticketClaims",
            seeds: text(
                #"{"jti":"a","aud":"d","exp":99,"rights":["view","talk"],"use":"url","token":"b","channel":1,"shared":true}"#
            )
        ) { bytes in
            _ = try? Ticket("eyJhbGciOiJIUzI1NiJ9.\(Base64URL.encode(bytes)).") { _ in [] }
        },
        FuzzTarget(
            "stun",
            seeds: [
                STUNMessage(.success, .binding, transaction: Array(1...12)).bytes(),
                STUNMessage(.request, .allocate, transaction: Array(1...12)).bytes(key: [1, 2, 3]),
            ].map { [9] + $0 }
        ) { bytes in
            var reader = STUNStreamReader()
            for piece in pieces(bytes) {
                for message in reader.take(Array(piece)) ?? [] { read(STUNMessage(message)) }
            }
            read(STUNMessage(bytes.dropFirst()))
        },
        FuzzTarget(
            "rendezvous",
            seeds: text(#"{"id":"a","offer":"v=0"}"#, #"{"id":"b","method":"POST","path":"/api/v1/pushes","body":{}}"#)
        ) { bytes in
            for kind in RendezvousRequest.Kind.allCases { _ = try? RendezvousRequest(kind, bytes) }
        },
    ]

    // MARK: Media

    private static let media = [
        FuzzTarget("flv", seeds: [[20] + talk]) { bytes in
            var reader = FLVReader(maximumBodyLength: 4096)
            for piece in pieces(bytes) {
                reader.feed(ByteBuffer(bytes: piece))
                while let tag = try? reader.next() { _ = FLVPayload(tag) }
            }
        },
        FuzzTarget(
            "amf0",
            seeds: [[2, 0, 1, 0x61], [3, 0, 1, 0x61, 5, 0, 0, 9], [10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        ) {
            var buffer = ByteBuffer(bytes: $0)
            while buffer.readableBytes > 0, (try? AMF0.read(from: &buffer)) != nil {}
        },
        FuzzTarget("adts", seeds: [[0xFF, 0xF1, 0x50, 0x40, 1, 0x3F, 0xFC, 1, 2, 3]]) { _ = ADTS.parse($0) },
        FuzzTarget(
            "parameterSets",
            seeds: [
                [
                    0x67, 0x64, 0, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 5, 0xBB, 1, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
                    0xF1,
                ]
            ]
        ) { bytes in
            _ = SequenceParameterSet(nal: bytes)
            _ = AVCDecoderConfiguration.parameterSets(in: bytes)
            _ = AudioSpecificConfig(bytes: bytes)
            _ = bytes.withUnsafeBufferPointer { H264.nalUnits(inAnnexB: $0) }
        },
        FuzzTarget("mp4", seeds: MP4Seeds.all) { bytes in
            let buffer = ByteBuffer(bytes: bytes)
            let reader = try? MP4Reader(length: Int64(bytes.count)) { offset, count in
                precondition(offset >= 0 && count >= 0 && offset + Int64(count) <= Int64(bytes.count))
                return buffer.getSlice(at: Int(offset), length: count)
            }
            guard let reader else { return }
            var samples = reader.samples()
            while samples.next() != nil {}
            _ = reader.repair()
        },
    ]

    // MARK: Services that the agent connects to

    private static let services = [
        FuzzTarget(
            "rtmpChunks",
            seeds: [
                [4, 2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 1, 0], [9, 3, 0, 0, 0, 0, 0, 3, 20, 0, 0, 0, 0, 2, 0, 0],
            ]
        ) { bytes in
            var limits = RTMPChunkReader.Limits()
            limits.messageLength = 4096
            limits.chunkStreams = 16
            limits.unfinishedBytes = 8192
            var reader = RTMPChunkReader(limits: limits)
            for piece in pieces(bytes) {
                reader.feed(ByteBuffer(bytes: piece))
                while (try? reader.next()) != nil {}
                precondition(reader.unfinishedBytes <= limits.unfinishedBytes)
            }
        },
        FuzzTarget("rtmpPublisher", seeds: [[0] + [UInt8](repeating: 3, count: 1 + 1536 + 1536)]) { bytes in
            guard let target = try? PushTarget("rtmp://u:p@media.example/live/cam") else { return }
            var options = RTMPPublisher.Options(target: target)
            options.random = [1, 2, 3, 4]
            var publisher = RTMPPublisher(options)
            _ = publisher.start()
            for piece in pieces(bytes) { _ = publisher.received(ByteBuffer(bytes: piece)) }
        },
        FuzzTarget(
            "httpResponse",
            seeds: text(
                "!HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                "!HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        ) { bytes in
            var parser = HTTPResponseParser()
            for piece in pieces(bytes) where (try? parser.receive(piece)) == nil { return }
        },
        FuzzTarget("serverSentEvents", seeds: text("!id: 1\nevent: push\ndata: {}\n\n: comment\n\n")) { bytes in
            var parser = ServerSentEventParser()
            for piece in pieces(bytes) where (try? parser.receive(piece)) == nil { return }
        },
        FuzzTarget(
            "gpsd", seeds: text(#"{"class":"TPV","mode":3,"lat":1.5,"lon":-2.5,"alt":3,"speed":4,"track":5}"# + "\n")
        ) { bytes in
            var reader = GPSDReader()
            for piece in pieces(bytes) { _ = reader.feed(piece) }
        },
        FuzzTarget(
            "pushTarget", seeds: text("rtmp://u:p@[2001:db8::1]:1935/live/key?a=b", "jt1078://h:1/13800138000/1?sim=6")
        ) {
            _ = try? PushTarget(String(decoding: $0, as: UTF8.self))
        },
    ]

    // MARK: Fleet platforms

    private static func frame(_ version: JT808Version, _ message: JT808Message) -> [UInt8] {
        JT808Frame(
            header: JT808Header(
                id: message.id, version: version, phone: PhoneNumber("1")?.bcd(version.phoneBytes) ?? [], serial: 1),
            body: message.body(version)
        ).bytes
    }

    private static let messages: [JT808Message] = [
        .platformAnswer(JT808GeneralAnswer(answers: 1, id: 2, result: .done)),
        .registrationAnswer(JT808RegistrationAnswer(answers: 1, result: 0, code: [1, 2])),
        .resend(JT808ResendRequest(firstSerial: 1, indices: [1, 2, 3])),
        .setParameters(JT808SetParameters([JT808Parameter(.heartbeat, number: 30)])),
        .controlLive(JT1078LiveControl(channel: 1, command: 0)),
        .turn(JT1078PTZ(channel: 1, value: 1, speed: 1)),
    ]

    private static let platforms = [
        FuzzTarget(
            "platformFrames",
            seeds: JT808Version.allCases.flatMap { version in messages.map { [7] + frame(version, $0) } }
        ) { bytes in
            var splitter = JT808FrameSplitter()
            for piece in pieces(bytes) {
                for case .success(let escaped) in splitter.feed(piece) {
                    guard let frame = try? JT808Frame(escaped: escaped) else { continue }
                    _ = try? JT808Decoding.body(frame)
                }
            }
        },
        FuzzTarget(
            "platformBodies",
            seeds: JT808Version.allCases.flatMap { version in
                messages.map { [UInt8($0.id >> 8), UInt8($0.id & 255), version == .v2019 ? 1 : 0] + $0.body(version) }
            }
        ) { bytes in
            guard bytes.count > 2 else { return }
            let version = JT808Version.allCases[Int(bytes[2]) % JT808Version.allCases.count]
            let header = JT808Header(
                id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), version: version,
                phone: PhoneNumber("1")?.bcd(version.phoneBytes) ?? [], serial: 1)
            _ = try? JT808Decoding.body(JT808Frame(header: header, body: Array(bytes.dropFirst(3))))
        },
        FuzzTarget(
            "mediaPackets",
            seeds: [
                [
                    9, 0x30, 0x31, 0x63, 0x64, 0x81, 0xE2, 0, 1, 1, 0x38, 0, 0x13, 0x80, 0, 1, 0x30, 0, 0, 0, 0, 0, 0,
                    0, 1, 0, 2, 9, 9,
                ]
            ]
        ) { bytes in
            for length in [6, 10] {
                var reader = JT1078Reader(simLength: length)
                for piece in pieces(bytes) { _ = reader.feed(piece) }
            }
            _ = JT1078Decoding.packet(bytes)
        },
        FuzzTarget("gbk", seeds: [[0xBE, 0xA9, 0x41, 0x81, 0x30, 0x81, 0x30]]) { _ = GBK.decode($0) },
    ]

    // MARK: The device's own files and lines

    /// Without its last line.
    private static var accessFile: String {
        let token = AccessToken.random()
        let grant = Grant(rights: [.live, .ptz], channel: 3)
        var memory = AccessMemory(key: [UInt8](repeating: 7, count: 32))
        memory.entries = [
            .init(name: "wall", digest: token.digest, grant: grant, made: 1_800_000_001, lastUsed: 1_800_000_002)
        ]
        memory.unseen = [.init(name: "wall", token: token)]
        return String(memory.text.dropLast("sum \n".count + 64))
    }

    private static let device = [
        FuzzTarget(
            "configuration",
            seeds: text(
                "channels:\n  - name: Door\n    video: {source: v4l2, device: /dev/video0}\nserver: {port: 8080}\n",
                "peers: {ticketKey: abcdefghijklmnopqrstuvwxyz012345}\nplatforms: []\n")
        ) { bytes in
            _ = try? ConfigurationReader.read(bytes)
            _ = ConfigurationRedaction.redacted(String(decoding: bytes, as: UTF8.self))
        },
        // The sum is made to fit, so that there is something to find behind it.
        FuzzTarget(
            "accessFile",
            seeds: text(accessFile)
        ) { bytes in
            let body = String(decoding: bytes, as: UTF8.self)
            _ = AccessMemory(text: body + "sum \(Hex.encode(SHA256.hash(Array(body.utf8))))\n")
        },
        FuzzTarget("ticketFile", seeds: text("edge-agent tickets 1\n99 YQ AB:CD\n")) {
            _ = UsedTickets(text: String(decoding: $0, as: UTF8.self))
        },
    ]
}
