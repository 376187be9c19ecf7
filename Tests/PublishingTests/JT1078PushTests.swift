import Glibc
import Logging
import Media
import NIOCore
import NIOPosix
import PlatformProtocol
import Publishing
import Streaming
import Synchronization
import Testing

/// Pushes to a media port, over both transports, as a platform commands them.
@Suite struct JT1078PushTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func makeManager(_ hubs: @escaping PushManager.Hubs) -> PushManager {
        PushManager(
            settings: PublishingSettings(), group: group, hubs: hubs,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func request(_ port: Int, isDatagram: Bool = false) throws -> PushRequest {
        let stream = JT1078Stream(sim: try #require(PhoneNumber("138")), channel: 1)
        return PushRequest(
            channel: 0, quality: .main,
            target: try #require(
                PushTarget(jt1078: stream, host: "127.0.0.1", port: port, isDatagram: isDatagram)),
            owner: PushOwner(name: "platform", token: 1))
    }

    private func wait(_ what: String, _ condition: () async -> Bool) async throws {
        let deadline = SystemMediaClock().now() + .seconds(20)
        while await !condition() {
            guard SystemMediaClock().now() < deadline else {
                Issue.record("no \(what)")
                return
            }
            try await Task.sleep(nanoseconds: 2_000_000)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func framesArriveAndOrdersTakeEffect(isDatagram: Bool) async throws {
        let port = try await MediaPort(isDatagram: isDatagram, group: group)
        let (main, sub) = (TestStream(), TestStream(frameBytes: 700))
        let manager = makeManager { _, quality in quality == .main ? main.hub : sub.hub }
        let tasks = [main.run(on: group.next()), sub.run(on: group.next())]
        defer { for task in tasks { task.cancel() } }
        let events = manager.events()
        let id = try await manager.command(try request(port.port, isDatagram: isDatagram))
        for await event in events where event.kind == .publishing { break }
        try await wait("first key frame") { port.packets.contains { $0.header.kind == .keyFrame } }
        #expect(port.packets.first?.header.kind == .keyFrame)
        #expect(try await manager.get(id).owner?.name == "platform")

        // A frame of the sub stream fits one packet, one of the main stream does not.
        await manager.change(id, quality: .sub, tracks: .video)
        try await wait("switch") { port.packets.last?.header.split == .whole }
        let switched = try #require(port.packets.first { $0.header.split == .whole })
        #expect(switched.header.kind == .keyFrame)
        #expect(try await manager.get(id).quality == .sub)

        await manager.setPaused(true, id)
        try await wait("pause") { await (try? manager.get(id))?.isPaused == true }
        await manager.setPaused(false, id)
        let before = port.packets.count
        try await wait("frames again") { port.packets.count > before + 3 }
        #expect(port.connections == 1)

        let sequences = port.packets.map(\.header.sequence)
        #expect(sequences == (0..<sequences.count).map { UInt16(truncatingIfNeeded: $0) })
        let times = port.packets.map(\.header.timestamp)
        #expect(times == times.sorted())
        await manager.end(id, CloseCause(.requested, "the platform closes it"))
        try await wait("empty list") { await manager.list().isEmpty }
        if !isDatagram { try await wait("end") { port.isEnded } }
        await manager.shutdown()
        await port.stop()
    }

    @Test(.timeLimit(.minutes(1))) func whatTheServiceClosesStaysClosed() async throws {
        let port = try await MediaPort(isDatagram: false, group: group)
        let stream = TestStream()
        let manager = makeManager { _, _ in stream.hub }
        let events = manager.events()
        _ = try await manager.command(try request(port.port))
        for await event in events {
            if event.kind == .publishing {
                // The kernel may have taken the frame before the port took the connection.
                try await wait("packets") { !port.packets.isEmpty }
                port.closeConnections()
            }
            guard event.kind == .closed else { continue }
            #expect(event.push.cause?.code == .service)
            break
        }
        try await wait("empty list") { await manager.list().isEmpty }
        #expect(port.connections == 1)
        await manager.shutdown()
        await port.stop()
    }

    @Test(.timeLimit(.minutes(1))) func attemptsAreFew() async throws {
        // A port that is taken, and where nobody listens.
        let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(taken) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(taken, $0, length)
                getsockname(taken, $0, &length)
            }
        }
        let stream = TestStream()
        let manager = makeManager { _, _ in stream.hub }
        let events = manager.events()
        _ = try await manager.command(try request(Int(UInt16(bigEndian: address.sin_port))))
        for await event in events where event.kind == .closed {
            #expect(event.push.attempts == 3)
            #expect(event.push.cause?.code == .unreachable)
            break
        }
        await manager.shutdown()
    }

    @Test(.timeLimit(.minutes(1))) func packetsComeBack() async throws {
        let port = try await MediaPort(isDatagram: false, group: group)
        let stream = TestStream()
        let manager = makeManager { _, _ in stream.hub }
        let heard = Mutex<[[UInt8]]>([])
        let attachment = PushAttachment(onPacket: { packet in heard.withLock { $0.append(packet.data) } })
        let id = try await manager.command(try request(port.port), attachment: attachment)
        try await wait("connection") { port.connections == 1 }
        let header = JT1078Header(
            payloadType: 6, sequence: 0, sim: [0, 0, 0, 0, 0, 0], channel: 1, kind: .audio, split: .whole, timestamp: 0,
            dataLength: 3)
        port.send([7, 7] + header.bytes + [1, 2, 3])
        try await wait("sound") { heard.withLock { $0 } == [[1, 2, 3]] }
        await manager.end(id, CloseCause(.requested, ""))
        await manager.shutdown()
        await port.stop()
    }
}

/// A platform's media port on loopback.
private final class MediaPort: Sendable {
    private struct State {
        var packets: [JT1078Reader.Packet] = []
        var channels: [any Channel] = []
        var connections = 0
        var isEnded = false
    }

    private let state = Mutex(State())
    private let server: Mutex<(any Channel)?> = Mutex(nil)

    var packets: [JT1078Reader.Packet] { state.withLock { $0.packets } }
    var connections: Int { state.withLock { $0.connections } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    var port: Int { server.withLock { $0?.localAddress?.port } ?? 0 }

    init(isDatagram: Bool, group: any EventLoopGroup) async throws {
        let channel: any Channel
        if isDatagram {
            state.withLock { $0.connections = 1 }
            channel = try await DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramReader(port: self))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
        } else {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    self.state.withLock { state in
                        state.connections += 1
                        state.channels.append(channel)
                    }
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(StreamReader(port: self))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
        }
        server.withLock { $0 = channel }
    }

    func take(_ packets: [JT1078Reader.Packet]) { state.withLock { $0.packets += packets } }
    func ended() { state.withLock { $0.isEnded = true } }

    func closeConnections() { for channel in state.withLock({ $0.channels }) { channel.close(promise: nil) } }

    func send(_ bytes: [UInt8]) {
        for channel in state.withLock({ $0.channels }) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    }

    func stop() async {
        closeConnections()
        let channel = server.withLock { $0 }
        try? await channel?.close().get()
    }
}

private final class StreamReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let port: MediaPort
    private var reader = JT1078Reader(simLength: 6)

    init(port: MediaPort) { self.port = port }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        port.take(reader.feed(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) { port.ended() }
}

/// Each datagram must be one packet by itself.
private final class DatagramReader: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let port: MediaPort

    init(port: MediaPort) { self.port = port }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var reader = JT1078Reader(simLength: 6)
        let bytes = unwrapInboundIn(data).data
        let packets = reader.feed(bytes.readableBytesView)
        #expect(packets.count == 1 && reader.bufferedBytes == 0 && bytes.readableBytes <= 980)
        port.take(packets)
    }
}
