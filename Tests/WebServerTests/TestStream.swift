import Containers
import ControlProtocol
import Logging
import Media
import NIOCore
import NIOEmbedded
import Streaming
import Synchronization
import Testing
import WebServer

/// Hand-made frames for a hub.
enum TestStream {
    /// 320x180, baseline, as x264 makes it.
    static let video = VideoFormat(
        sps: [
            0x67, 0x42, 0xC0, 0x0C, 0xD9, 0x01, 0x41, 0x9F, 0x9F, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
            0x03, 0x03, 0x20, 0xF1, 0x42, 0xA4, 0x80,
        ],
        pps: [0x68, 0xCB, 0x83, 0xCB, 0x20], size: .init(width: 320, height: 180), frameRate: 25, bitrate: 500_000)
    static let audio = AudioFormat(rate: 16000, channels: 1, bitrate: 32000)

    static func hub(_ name: String = "0/main") -> StreamHub {
        let hub = StreamHub(name: name, hasVideo: true, hasAudio: true)
        hub.setFormat(video: video)
        hub.setFormat(audio: audio)
        return hub
    }

    /// A frame whose tag body has `length` bytes, FLV's own five or two included.
    static func frame(_ kind: MediaKind = .video, key: Bool = false, at milliseconds: Int64, length: Int = 1000)
        -> TaggedFrame
    {
        let header = kind == .video ? 5 : 2
        var data = EncodedFrame.makeBuffer(capacity: length)
        data.writeRepeatingByte(UInt8(truncatingIfNeeded: milliseconds), count: length - header)
        return TaggedFrame(
            EncodedFrame(
                kind: kind, isKey: key || kind == .audio, time: .seconds(100) + .milliseconds(milliseconds), data: data)
        )
    }
}

/// An agent that does as it is told and remembers it.
final class FakeAgent: AgentControl, @unchecked Sendable {
    let channels: [ViewableChannel]
    let main = TestStream.hub()
    let sub = TestStream.hub("0/sub")
    let published = AsyncStream<EventReport>.makeStream(bufferingPolicy: .bufferingNewest(16))
    let listening = AsyncStream<Void>.makeStream()
    let sick: String?

    init(illness: String? = nil) {
        sick = illness
        channels = [
            ViewableChannel(
                id: 0, name: "Front \"door\"", hasVideo: true, hasAudio: true, hubs: [.main: main, .sub: sub]),
            ViewableChannel(id: 3, name: "Back", hasVideo: true, hasAudio: false, hubs: [.main: main]),
        ]
    }

    func viewableChannels() -> [ViewableChannel] { channels }
    var isStandby: Bool { privacy.load(ordering: .relaxed) }
    let privacy = Atomic(false)
    func illness() async -> String? { sick }

    func status() async -> StatusReport {
        let device = DeviceReport(
            state: .running, device: "synthetic", detail: "", sinceSeconds: 1, captured: 7, dropped: 1)
        let stream = StreamReport(
            stream: .main, encoding: true, width: 320, height: 180, frameRate: 25, bitrate: 1, targetBitrate: 2,
            videoFrames: 5, audioFrames: 6, keyFrames: 1, overruns: 0, subscribers: 1)
        var status = StatusReport(
            version: "0.1.0", device: DeviceIdentity(id: "d1", name: "yard"), pid: 1, uptimeSeconds: 2,
            channels: [
                ChannelReport(channel: 0, name: "Front", camera: device, microphone: device, streams: [stream])
            ],
            viewerLimit: 0, viewers: [], pushes: [push("1")])
        status.process = ProcessReport(
            residentBytes: 1 << 20, cpuSeconds: 1.5, openFiles: 7, maximumFiles: 99, threads: 3)
        return status
    }

    func push(_ id: String) -> PushReport {
        PushReport(
            id: id, channel: 0, codeStream: .main, dataType: .av, target: "rtmp://host/app/…", state: .publishing,
            sinceSeconds: 1, attempts: 1, bytesSent: 2, framesSent: 3, framesDropped: 4)
    }

    func openPush(_ request: PushOpenRequest) async throws(ControlError) -> (push: PushReport, isNew: Bool) {
        if request.target == "rtmp://refused/" {
            throw .pushFailed(.init(code: .refused, detail: "the service refused the key"), timedOut: false)
        }
        return (push("1"), request.target != "rtmp://joined/")
    }

    func pushes() async -> [PushReport] { [push("1")] }

    func push(id: String) async throws(ControlError) -> PushReport {
        guard id == "1" else { throw .notFound("there is no push \(id)") }
        return push(id)
    }

    func closePush(id: String) async throws(ControlError) -> PushReport { try await push(id: id) }

    func trace(channel: Int, stream: CodeStream) async throws(ControlError) -> [StageReport] {
        throw .notFound("there is no channel \(channel)")
    }

    func snapshot(channel: Int, stream: CodeStream) async throws(ControlError) -> [UInt8] {
        guard channel == 0 else { throw .notFound("there is no channel \(channel)") }
        return [0xFF, 0xD8, stream == .main ? 1 : 2]
    }

    func events() async -> AsyncStream<EventReport> {
        listening.continuation.yield()
        return published.stream
    }
}

/// A server without sockets: its connections are embedded channels, its time is moved by hand.
final class Rig {
    let agent = FakeAgent()
    let loop = EmbeddedEventLoop()
    let registry: ViewerRegistry
    let server: HTTPServer

    let access: TestAccess

    init(
        limit: Int = 10, origins: [String] = [], queue: Int = 4 << 20, strangers: AccessGate.Strangers = .trusted
    ) {
        var settings = WebServerSettings()
        settings.viewerLimit = limit
        settings.viewerQueueBytes = queue
        registry = ViewerRegistry(limit: limit)
        let policy = CrossOriginPolicy(origins: origins)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        access = TestAccess(strangers, policy: policy)
        let routes = ViewerRoutes(agent: agent, registry: registry, policy: policy, tickets: access.tickets)
        server = HTTPServer(
            router: GuardedRouter(routes, gate: access.gate), audience: .network, policy: policy,
            settings: settings, registry: registry, group: loop, logger: logger)
    }

    func connect() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        try server.addHandlers(to: channel)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        return channel
    }

    /// Sends a request and gives back what came at once.
    func request(_ channel: EmbeddedChannel, _ lines: String...) throws -> String {
        try channel.writeInbound(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
        loop.run()
        return String(buffer: try output(channel))
    }

    static let handshake = [
        "GET /ipc.flv?action=live&channel=0 HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ].joined(separator: "\r\n")

    func output(_ channel: EmbeddedChannel) throws -> ByteBuffer {
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        return all
    }

    /// Hands frames to the main stream's hub and through it to the viewers.
    func publish(_ frames: TaggedFrame...) {
        for frame in frames { agent.main.publish(frame) }
        loop.run()
    }
}

/// A frame from the server, taken apart independently of the code under test.
struct ServerFrame: Equatable {
    let opcode: UInt8
    let headerLength: Int
    let payload: ByteBuffer

    static func all(in buffer: ByteBuffer) -> [ServerFrame] {
        var buffer = buffer
        var frames: [ServerFrame] = []
        while let head: UInt8 = buffer.readInteger(), let length: UInt8 = buffer.readInteger() {
            #expect(head & 0xF0 == 0x80, "final, nothing reserved")
            #expect(length & 0x80 == 0, "not masked")
            var (count, header) = (Int(length), 2)
            if length == 126 {
                (count, header) = (Int(buffer.readInteger(as: UInt16.self) ?? 0), 4)
            } else if length == 127 {
                (count, header) = (Int(buffer.readInteger(as: UInt64.self) ?? 0), 10)
            }
            guard let payload = buffer.readSlice(length: count) else {
                Issue.record("frame breaks off")
                break
            }
            frames.append(ServerFrame(opcode: head & 0xF, headerLength: header, payload: payload))
        }
        return frames
    }

    /// The FLV byte stream in the binary messages.
    static func stream(_ frames: [ServerFrame]) -> ByteBuffer {
        frames.filter { $0.opcode == 2 }.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1.payload) }
    }
}

/// Frames as a browser sends them.
func clientFrame(opcode: UInt8, _ payload: [UInt8] = [], final: Bool = true, masked: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = [(final ? 0x80 : 0) | opcode]
    let mask: UInt8 = masked ? 0x80 : 0
    if payload.count < 126 {
        bytes.append(mask | UInt8(payload.count))
    } else {
        bytes += [mask | 126, UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)]
    }
    let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    if masked { bytes += key }
    return bytes + payload.enumerated().map { masked ? $1 ^ key[$0 & 3] : $1 }
}

/// All tags of a whole FLV byte stream.
func tags(_ bytes: ByteBuffer) throws -> (reader: FLVReader, tags: [FLVReader.Tag]) {
    var reader = FLVReader()
    reader.feed(bytes)
    var tags: [FLVReader.Tag] = []
    while let tag = try reader.next() { tags.append(tag) }
    #expect(reader.bufferedBytes == 0)
    #expect(reader.wrongTrailers == 0)
    return (reader, tags)
}

/// Header and body of a response.
func split(_ response: ByteBuffer) -> (head: String, body: ByteBuffer) {
    let bytes = Array(response.readableBytesView)
    let end = Array("\r\n\r\n".utf8)
    let place = bytes.indices.first { bytes[$0...].starts(with: end) } ?? bytes.count
    let body = ByteBuffer(bytes: bytes.dropFirst(place + end.count))
    return (String(decoding: bytes[..<place], as: UTF8.self), body)
}
