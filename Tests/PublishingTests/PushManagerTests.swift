import Glibc
import Logging
import Media
import NIOCore
import NIOPosix
import NIOSSL
import Publishing
import Streaming
import TestSupport
import Testing

@Suite struct PushManagerTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func makeManager(
        _ stream: TestStream?, _ change: (inout PublishingSettings) -> Void = { _ in }
    ) -> PushManager {
        var settings = PublishingSettings()
        settings.retry.normal = .init(first: .milliseconds(10), cap: .milliseconds(20))
        settings.retry.busy = settings.retry.normal
        settings.retry.refused = settings.retry.normal
        change(&settings)
        return PushManager(
            settings: settings, group: group, hubs: { channel, _ in channel == 0 ? stream?.hub : nil },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func request(_ target: String, channel: Int = 0) throws -> PushRequest {
        PushRequest(channel: channel, quality: .main, target: try PushTarget(target))
    }

    private func failure(_ manager: PushManager, _ target: String) async throws -> (CloseCause, isTimeout: Bool)? {
        do {
            _ = try await manager.open(try request(target), waits: true)
            return nil
        } catch PushError.failed(let cause, let isTimeout) {
            return (cause, isTimeout)
        }
    }

    private func kinds(_ events: AsyncStream<PushEvent>, until last: PushEvent.Kind) async -> [PushEvent] {
        var seen: [PushEvent] = []
        for await event in events {
            seen.append(event)
            if event.kind == last { break }
        }
        return seen
    }

    @Test(.timeLimit(.minutes(1))) func publishesJoinsAndCloses() async throws {
        let service = try await FakeService(.accepts, group: group)
        let stream = TestStream()
        let manager = makeManager(stream)
        let events = manager.events()
        let (push, isNew) = try await manager.open(try request(service.target), waits: true)
        #expect(isNew)
        #expect(push.state == .publishing)
        #expect(push.framesSent >= 1)
        #expect(push.bytesSent > 2000)
        #expect(push.target == "rtmp://127.0.0.1:\(service.port)/live/…")
        for waits in [true, false] {
            let (joined, isNew) = try await manager.open(try request(service.target), waits: waits)
            #expect(!isNew)
            #expect(joined.id == push.id)
        }
        #expect(await manager.list().count == 1)
        let closed = try await manager.close(push.id)
        #expect(closed.state == .closed)
        #expect(closed.cause?.code == .requested)
        #expect(await manager.list().isEmpty)
        await #expect(throws: PushError.noSuchPush(push.id)) { try await manager.close(push.id) }
        #expect(await kinds(events, until: .closed).map(\.kind) == [.opened, .publishing, .closed])
        // The service hears an orderly farewell.
        var commands: [String] = []
        for await event in service.events {
            if case .command(let name, _) = event { commands.append(name) }
            if event == .closed { break }
        }
        #expect(
            commands == [
                "connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream",
            ])
        await manager.shutdown()
        await service.stop()
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (FakeService.Manner.status("NetStream.Publish.BadName"), CloseCause.Code.refused),
            (.status("NetStream.Publish.Unauthorized"), .refused), (.closesAtPublish, .refused),
            (.speaksHTTP("HTTP/1.1 400 Bad Request\r\n\r\n"), .unreachable), (.wantsLogIn, .refused),
        ])
    func synchronousOpeningTellsWhyNot(manner: FakeService.Manner, code: CloseCause.Code) async throws {
        let service = try await FakeService(manner, group: group)
        let manager = makeManager(TestStream())
        let found = try #require(try await failure(manager, service.target))
        #expect(found.0.code == code)
        #expect(!found.isTimeout)
        #expect(!found.0.detail.contains("secret"))
        #expect(await manager.list().isEmpty)
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func deadlinesEndSilence() async throws {
        let service = try await FakeService(.mute, group: group)
        let manager = makeManager(TestStream()) { $0.handshakeTimeout = .milliseconds(50) }
        let found = try #require(try await failure(manager, service.target))
        #expect(found.0.code == .unreachable)
        #expect(found.isTimeout)
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func nobodyListens() async throws {
        let service = try await FakeService(.accepts, group: group)
        await service.stop()
        let manager = makeManager(TestStream())
        #expect(try await failure(manager, service.target)?.0.code == .unreachable)
        #expect(try await failure(manager, "rtmp://name.invalid/live/secret")?.0.code == .unreachable)
        await manager.shutdown()
    }

    @Test(.timeLimit(.minutes(1))) func noPicturesFromTheDevice() async throws {
        let service = try await FakeService(.accepts, group: group)
        let manager = makeManager(TestStream(isSilent: true)) { $0.noDataTimeout = .milliseconds(50) }
        #expect(try await failure(manager, service.target)?.0.code == .noData)
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func unknownStreamsAndTooManyPushes() async throws {
        let service = try await FakeService(.accepts, group: group)
        let manager = makeManager(TestStream()) { $0.maximumPushes = 1 }
        await #expect(throws: PushError.noSuchStream(channel: 1, quality: .main)) {
            try await manager.open(try request(service.target, channel: 1), waits: false)
        }
        _ = try await manager.open(try request(service.target), waits: false)
        await #expect(throws: PushError.tooManyPushes(limit: 1)) {
            try await manager.open(try request(service.target + "2"), waits: false)
        }
        await #expect(throws: PushError.noSuchPush("99")) { try await manager.get("99") }
        #expect(throws: PushError.noTarget) { try manager.target(nil) }
        await manager.shutdown()
        await #expect(throws: PushError.shuttingDown) {
            try await manager.open(try request(service.target), waits: false)
        }
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func logsInTheAdobeWay() async throws {
        let service = try await FakeService(.wantsLogIn, group: group)
        let manager = makeManager(TestStream())
        let target = "rtmp://u:p@127.0.0.1:\(service.port)/live/secret"
        let (push, _) = try await manager.open(try request(target), waits: true)
        #expect(push.state == .publishing)
        var apps: [String] = []
        for await event in service.events {
            if case .command("connect", let app?) = event { apps.append(app) }
            if case .command("publish", _) = event { break }
        }
        #expect(apps.count == 3)
        #expect(apps[0] == "live")
        #expect(apps[1] == "live?authmod=adobe&user=u")
        #expect(apps[2].hasPrefix("live?authmod=adobe&user=u&challenge="))
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func comesBackAfterTheServiceCloses() async throws {
        let stream = TestStream()
        let service = try await FakeService([.closesAfter(5), .closesAtPublish, .accepts], group: group)
        let frames = stream.run(on: group.next())
        let manager = makeManager(stream)
        let events = manager.events()
        _ = try await manager.open(try request(service.target), waits: true)
        var seen: [PushEvent] = []
        for await event in events {
            seen.append(event)
            if event.kind == .publishing, event.push.attempts >= 3 { break }
        }
        #expect(seen.map(\.kind) == [.opened, .publishing, .waiting, .waiting, .publishing])
        #expect(seen[2].push.cause?.code == .service)
        #expect(seen[3].push.cause?.code == .refused)
        #expect(seen[4].push.cause == nil)
        frames.cancel()
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func serviceThatNeverReadsIsLeft() async throws {
        let service = try await FakeService([.stopsReading, .accepts], group: group)
        let stream = TestStream(frameBytes: 200_000)
        let manager = makeManager(stream) {
            $0.stallTimeout = .milliseconds(300)
            $0.adaptBitrate = true
        }
        let events = manager.events()
        let frames = stream.run(on: group.next(), period: .milliseconds(2))
        _ = try await manager.open(try request(service.target), waits: false)
        var causes: [CloseCause.Code] = []
        for await event in events {
            if event.kind == .waiting {
                causes.append(event.push.cause?.code ?? .requested)
                #expect(event.push.framesDropped > 0)
            }
            if event.kind == .publishing, !causes.isEmpty { break }
        }
        #expect(causes == [.networkLost])
        frames.cancel()
        await manager.shutdown()
        await service.stop()
    }

    @Test(.timeLimit(.minutes(1))) func whatWasCommandedSurvivesARestart() async throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let service = try await FakeService(.accepts, group: group)
        let stream = TestStream()
        let file = folder + "/pushes"
        let first = makeManager(stream) { $0.stateFile = file }
        await first.start()
        let (push, _) = try await first.open(try request(service.target), waits: true)
        _ = try await first.open(try request("rtmp://127.0.0.1:1/live/never"), waits: false)
        _ = try await first.open(try request("rtmp://127.0.0.1:1/live/closed"), waits: false)
        _ = try await first.close("3")
        // A synchronous failure leaves nothing behind.
        #expect(try await failure(first, "rtmp://127.0.0.1:1/live/failed") != nil)
        let shutdownEvents = first.events()
        await first.shutdown()
        var ended: [CloseCause.Code?] = []
        for await event in shutdownEvents where event.kind == .closed { ended.append(event.push.cause?.code) }
        #expect(ended == [.shutdown, .shutdown])

        var state = stat()
        #expect(stat(file, &state) == 0)
        #expect(state.st_mode & 0o777 == 0o600)
        let second = makeManager(stream) { $0.stateFile = file }
        let events = second.events()
        await second.start()
        #expect(await second.list().map(\.id) == ["1", "2"])
        for await event in events where event.kind == .publishing {
            #expect(event.push.id == push.id)
            break
        }
        let (next, _) = try await second.open(try request("rtmp://127.0.0.1:1/live/next"), waits: false)
        #expect(next.id == "3")
        await second.shutdown()
        await service.stop()
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", CloseCause.Code.refused),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", .service), ("SSH-2.0-x\r\n", .unreachable),
        ])
    func httpRefusals(answer: String, code: CloseCause.Code) async throws {
        let service = try await FakeService(.speaksHTTP(answer), group: group)
        // Without pictures the answer always comes first.
        let manager = makeManager(TestStream(isSilent: true))
        let found = try await failure(manager, "http://127.0.0.1:\(service.port)/live/secret.flv")
        #expect(found?.0.code == code)
        await manager.shutdown()
        await service.stop()
    }

    /// Publishes where chain and name are right, and only there.
    @Test(.enabled(if: access("/usr/bin/openssl", X_OK) == 0), .timeLimit(.minutes(1)))
    func safeConnections() async throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        func context(_ name: String, _ subject: String) async throws -> NIOSSLContext {
            let arguments =
                "/usr/bin/openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
                + "-keyout \(folder)/\(name).key -out \(folder)/\(name).pem -addext subjectAltName=\(subject)"
            let process = try ChildProcess(
                arguments.split(separator: " ").map { String($0) }, errors: folder + "/stderr")
            try #require(try await process.wait() == 0)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: try NIOSSLCertificate.fromPEMFile("\(folder)/\(name).pem").map {
                        .certificate($0)
                    },
                    privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(folder)/\(name).key", format: .pem))))
        }
        let good = try await FakeService(
            .accepts, tls: try await context("good", "DNS:localhost,IP:127.0.0.1"), group: group)
        let other = try await FakeService(
            .accepts, tls: try await context("other", "DNS:media.example"), group: group)

        for host in ["localhost", "127.0.0.1"] {
            let manager = makeManager(TestStream()) { $0.caFile = folder + "/good.pem" }
            let (push, _) = try await manager.open(
                try request("rtmps://\(host):\(good.port)/live/secret"), waits: true)
            #expect(push.state == .publishing)
            #expect(try await manager.close(push.id).cause?.code == .requested)
            await manager.shutdown()
        }
        // An unknown authority; a name that is not in the certificate; a file that is none.
        for (file, port) in [(nil, good.port), ("other.pem", other.port), ("stderr", good.port)] as [(String?, Int)] {
            let manager = makeManager(TestStream()) { $0.caFile = file.map { "\(folder)/\($0)" } }
            let found = try #require(try await failure(manager, "rtmps://localhost:\(port)/live/secret"))
            #expect(found.0.code == .unreachable)
            await manager.shutdown()
        }
        await good.stop()
        await other.stop()
    }
}
