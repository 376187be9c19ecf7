import Containers
import ControlProtocol
import Glibc
import Logging
import Media
import NIOCore
import NIOPosix
import Testing
import WebServer

/// The server on real sockets.
@Suite struct HTTPServerTests {
    /// Two servers as the agent runs them.
    final class House: Sendable {
        let agent: FakeAgent
        let registry: ViewerRegistry
        let viewers: HTTPServer
        let control: HTTPServer
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let path: String

        init(limit: Int = 4, stall: Int = 15, illness: String? = nil) {
            agent = FakeAgent(illness: illness)
            registry = ViewerRegistry(limit: limit)
            var settings = WebServerSettings()
            settings.viewerLimit = limit
            settings.stallSeconds = stall
            settings.viewerQueueBytes = 100_000
            settings.sendBufferBytes = 16 << 10
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let policy = CrossOriginPolicy(origins: [])
            viewers = HTTPServer(
                router: GuardedRouter(
                    ViewerRoutes(agent: agent, registry: registry, policy: policy), gate: TestAccess().gate),
                audience: .network, policy: policy, settings: settings, registry: registry, group: group, logger: logger
            )
            control = HTTPServer(
                router: GuardedRouter(ControlRoutes(agent: agent, registry: registry), gate: TestAccess().gate),
                audience: .owner, policy: policy, settings: settings,
                registry: registry, group: group, logger: logger)
            path = "/tmp/edge-agent-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        }

        func open() async throws {
            try await viewers.start(.tcp(host: "127.0.0.1", port: 0))
            try await control.start(.unixSocket(path: path))
        }

        func close() async throws {
            await viewers.close()
            await control.close()
            try await group.shutdownGracefully()
        }

        func viewer(_ request: String, reading: Bool = true) async throws -> Client {
            try await Client(on: group, .init(ipAddress: "127.0.0.1", port: viewers.port ?? 0), request, reading)
        }

        func ask(_ request: String, body: String = "") async throws -> String {
            let text =
                "\(request) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            let client = try await Client(on: group, .init(unixDomainSocketPath: path), text + body, true)
            return String(buffer: await client.all())
        }
    }

    /// A connection that has sent its request and collects what comes.
    final class Client: Sendable {
        let channel: any Channel
        private let parts: AsyncStream<ByteBuffer>

        init(on group: any EventLoopGroup, _ address: SocketAddress, _ request: String, _ reading: Bool) async throws {
            let (parts, continuation) = AsyncStream<ByteBuffer>.makeStream()
            self.parts = parts
            channel = try await ClientBootstrap(group: group)
                .channelOption(.autoRead, value: reading)
                .channelOption(.socketOption(.so_rcvbuf), value: 8192)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                    }
                }
                .connect(to: address).get()
            try await channel.writeAndFlush(ByteBuffer(string: request))
        }

        /// Until the server closes.
        func all() async -> ByteBuffer {
            await read { _ in false }
        }

        /// Until `enough` says so of everything that came in this call, or the server closes.
        func read(until enough: (ByteBuffer) -> Bool) async -> ByteBuffer {
            var all = ByteBuffer()
            for await part in parts {
                all.writeImmutableBuffer(part)
                if enough(all) { break }
            }
            return all
        }
    }

    final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation
        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Waits for something that another thread brings about. The pause only spares the processor.
    private func eventually(_ what: Comment, _ condition: () async -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !(await condition()) {
            guard ContinuousClock.now < end else {
                Issue.record(what)
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test(.timeLimit(.minutes(1))) func viewersOfBothKindsGetTheSameStream() async throws {
        let house = House()
        try await house.open()
        let http = try await house.viewer("GET /ipc.flv?action=live HTTP/1.1\r\nHost: a\r\n\r\n")
        let webSocket = try await house.viewer(Rig.handshake + "\r\n\r\n")
        try await eventually("two viewers") { house.agent.main.subscriberCount == 2 }
        for index in 0..<100 {
            let frame = TestStream.frame(key: index % 25 == 0, at: Int64(index) * 40, length: 3000)
            house.agent.main.publish(frame)
            house.agent.main.publish(TestStream.frame(.audio, at: Int64(index) * 40 + 5, length: 100))
            // One at a time: these viewers have small buffers and would miss some otherwise.
            try await eventually("frame \(index)") {
                await house.registry.reports().allSatisfy { $0.framesSent == 2 * (index + 1) && $0.queuedBytes == 0 }
            }
        }
        let reports = await house.registry.reports()
        #expect(reports.map(\.transport) == [.http, .websocket])
        #expect(reports.allSatisfy { $0.framesDropped == 0 && $0.remote.hasPrefix("127.0.0.1:") })
        house.agent.main.close()
        let (_, plain) = split(await http.all())
        let stream = ServerFrame.stream(ServerFrame.all(in: split(await webSocket.all()).body))
        #expect(plain == stream)
        #expect(try tags(plain).tags.count == 203)
        try await eventually("nobody left") { house.registry.totals.connected == 0 }
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func viewerThatLeavesIsNoticed() async throws {
        let house = House()
        try await house.open()
        let viewer = try await house.viewer("GET /ipc.flv?action=live HTTP/1.1\r\n\r\n")
        try await eventually("one viewer") { house.agent.main.subscriberCount == 1 }
        try await viewer.channel.close().get()
        try await eventually("nobody left") { house.registry.totals.connected == 0 }
        #expect(house.agent.main.subscriberCount == 0)
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func viewerThatReadsNothingIsDroppedFromAndThenGone() async throws {
        let house = House(stall: 1)
        try await house.open()
        let viewer = try await house.viewer("GET /ipc.flv?action=live HTTP/1.1\r\n\r\n", reading: false)
        try await eventually("one viewer") { house.agent.main.subscriberCount == 1 }
        var index: Int64 = 0
        var queued = 0
        try await eventually("dropping") {
            house.agent.main.publish(TestStream.frame(key: index % 25 == 0, at: index, length: 20_000))
            index += 1
            guard let report = await house.registry.reports().first else { return true }
            queued = max(queued, report.queuedBytes)
            return report.framesDropped > 0
        }
        // The subscription's limit, NIO's high water mark, and a frame or two on top.
        #expect(queued < 100_000 + (64 << 10) + 2 * 20_100)
        try await eventually("gone") { house.registry.totals.connected == 0 }
        try await viewer.channel.close().get()
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func healthAndMetrics() async throws {
        for (illness, status) in [(nil, 200), ("no frames for 10 s", 503)] as [(String?, Int)] {
            let house = House(illness: illness)
            try await house.open()
            let health = try await house.viewer("GET /healthz HTTP/1.0\r\n\r\n")
            let answer = String(buffer: await health.all())
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            // Strangers may ask, so it does not say what is wrong.
            if let illness { #expect(!answer.contains(illness)) }
            let metrics = String(buffer: try await house.viewer("GET /metrics HTTP/1.0\r\n\r\n").all())
            for line in [
                "edge_agent_info{version=\"0.1.0\"} 1", "edge_agent_viewers{transport=\"http\"} 0",
                "edge_agent_viewer_limit 4", "edge_agent_device_dropped_total{channel=\"0\",device=\"camera\"} 1",
                "edge_agent_stream_video_frames_total{channel=\"0\",stream=\"main\"} 5",
                "edge_agent_pushes{state=\"publishing\"} 1",
                "edge_agent_push_frames_dropped_total{push=\"1\",channel=\"0\",stream=\"main\"} 4",
            ] { #expect(metrics.contains("\n\(line)\n") || metrics.contains("\r\n\(line)\n"), "\(line)") }
            #expect(metrics.contains("\nprocess_resident_memory_bytes "))
            #expect(metrics.contains("\nprocess_open_fds "))
            try await house.close()
        }
    }

    @Test(.timeLimit(.minutes(1))) func controlAnswers() async throws {
        let house = House()
        try await house.open()
        let viewer = try await house.viewer("GET /ipc.flv?action=live HTTP/1.1\r\n\r\n")
        try await eventually("one viewer") { house.agent.main.subscriberCount == 1 }
        let status = try await house.ask("GET /api/v1/status")
        let report = try ControlCoding.decode(
            StatusReport.self, from: split(ByteBuffer(string: status)).body.readableBytesView)
        #expect(report.viewers.count == 1)
        #expect(report.viewerLimit == 4)
        for (request, body, status, text) in [
            ("GET /api/v1/channels", "", 200, "\"name\":\"Front\""),
            ("GET /api/v1/viewers", "", 200, "\"transport\":\"http\""),
            ("GET /api/v1/pushes", "", 200, "[{\"attempts\":1"), ("GET /api/v1/pushes/1", "", 200, "\"id\":\"1\""),
            ("GET /api/v1/pushes/2", "", 404, "there is no push 2"),
            ("DELETE /api/v1/pushes/1", "", 200, "\"id\":\"1\""),
            ("POST /api/v1/pushes", "", 201, "\"id\":\"1\""),
            ("POST /api/v1/pushes", "{\"channel\":0,\"target\":\"rtmp://joined/\"}", 200, "\"id\":\"1\""),
            ("POST /api/v1/pushes", "{\"target\":\"rtmp://refused/\"}", 502, "\"code\":\"refused\""),
            ("POST /api/v1/pushes", "{\"chanel\":0}", 400, "chanel"), ("POST /api/v1/pushes", "{", 400, "badRequest"),
            ("PUT /api/v1/pushes", "", 405, "GET, HEAD, POST"), ("POST /api/v1/status", "", 405, "methodNotAllowed"),
            ("GET /api/v1/channels/0/snapshot?stream=sub", "", 200, "image/jpeg"),
            ("GET /api/v1/channels/9/snapshot", "", 404, "there is no channel 9"),
            ("GET /api/v1/channels/0/snapshot?stream=x", "", 400, "main or sub"),
            ("GET /api/v1/channels/x/snapshot", "", 404, "notFound"), ("GET /ipc.flv?action=live", "", 404, "notFound"),
            ("GET /api/v2/status", "", 404, "notFound"),
        ] {
            let answer = try await house.ask(request, body: body)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(request) \(body): \(answer)")
            #expect(answer.contains(text), "\(request) \(body): \(answer)")
        }
        try await viewer.channel.close().get()
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func eventsAreTold() async throws {
        let house = House()
        try await house.open()
        let listener = try await Client(
            on: house.group, .init(unixDomainSocketPath: house.path), "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
            true)
        for await _ in house.agent.listening.stream { break }
        house.agent.published.continuation.yield(EventReport(id: 7, event: "push.closed", push: house.agent.push("1")))
        let heard = String(buffer: await listener.read { String(buffer: $0).hasSuffix("}\n\n") })
        #expect(heard.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"))
        #expect(heard.contains("\r\n\r\nid: 7\nevent: push.closed\ndata: {"))
        try await listener.channel.close().get()
        try await eventually("the listener is gone") { house.control.connectionCount == 0 }
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func controlSocketIsForOwnerAndGroupAndTakesOverOnlyFromTheDead() async throws {
        let house = House()
        try await house.open()
        var status = stat()
        #expect(stat(house.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        let second = House()
        await #expect(throws: WebServerError.self) { try await second.control.start(.unixSocket(path: house.path)) }
        // What a process that was killed leaves behind.
        let stale = house.path + ".stale"
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: stale.utf8) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        Glibc.close(descriptor)
        try await second.control.start(.unixSocket(path: stale))
        await second.control.close()
        #expect(stat(stale, &status) != 0)
        try await second.group.shutdownGracefully()
        try await house.close()
        #expect(stat(house.path, &status) != 0)
        await #expect(throws: WebServerError.self) { try await House().control.start(.unixSocket(path: "/proc/no/x")) }
    }

    @Test(.timeLimit(.minutes(1))) func takenPortIsNamed() async throws {
        let house = House()
        try await house.open()
        let port = house.viewers.port ?? 0
        let second = House()
        await #expect {
            try await second.viewers.start(.tcp(host: "127.0.0.1", port: port))
        } throws: {
            "\($0)".contains("127.0.0.1:\(port)") && "\($0)".contains("another program")
        }
        try await second.group.shutdownGracefully()
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func closingEndsEveryConnection() async throws {
        let house = House()
        try await house.open()
        let http = try await house.viewer("GET /ipc.flv?action=live HTTP/1.1\r\n\r\n")
        let webSocket = try await house.viewer(Rig.handshake + "\r\n\r\n")
        let idle = try await house.viewer("")
        try await eventually("all there") { house.viewers.connectionCount == 3 && house.registry.totals.connected == 2 }
        await house.viewers.close()
        #expect(house.viewers.connectionCount == 0)
        #expect(house.registry.totals.connected == 0)
        #expect(ServerFrame.all(in: split(await webSocket.all()).body).map(\.opcode) == [8])
        _ = await (http.all(), idle.all())
        try await house.close()
    }

    @Test(.timeLimit(.minutes(1))) func connectionsAreBounded() async throws {
        let house = House(limit: 0)
        try await house.open()
        var idle: [Client] = []
        for _ in 0..<64 { idle.append(try await house.viewer("")) }
        try await eventually("full") { house.viewers.connectionCount == 64 }
        let refused = String(buffer: try await house.viewer("GET / HTTP/1.1\r\n\r\n").all())
        #expect(refused.hasPrefix("HTTP/1.1 503 "))
        #expect(refused.contains("tooManyConnections"))
        try await idle.removeLast().channel.close().get()
        try await eventually("room") { house.viewers.connectionCount == 63 }
        let served = try await house.viewer("GET / HTTP/1.0\r\n\r\n")
        #expect(String(buffer: await served.all()).hasPrefix("HTTP/1.1 200 "))
        try await house.close()
    }
}
