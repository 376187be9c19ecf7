import Containers
import NIOCore
import Publishing
import Testing

@Suite struct RTMPPublisherTests {
    private func makePublisher(_ url: String = "rtmp://media.example/live/cam1?token=t") throws -> RTMPPublisher {
        var options = RTMPPublisher.Options(target: try PushTarget(url))
        options.random = (0..<1528).map { UInt8(truncatingIfNeeded: $0) }
        options.time = 0x0102_0304
        return RTMPPublisher(options)
    }

    /// What the actions send, put together again as messages; set-up of the chunk size included.
    private struct Peer {
        var reader = RTMPChunkReader()

        mutating func messages(_ actions: [RTMPPublisher.Action]) throws -> [RTMPMessage] {
            var messages: [RTMPMessage] = []
            for case .send(let bytes) in actions {
                reader.feed(bytes)
                while let message = try reader.next() { messages.append(message) }
            }
            return messages
        }
    }

    private func command(_ message: RTMPMessage) throws -> [AMF0] {
        var payload = message.payload
        var values: [AMF0] = []
        while payload.readableBytes > 0 { values.append(try AMF0.read(from: &payload)) }
        return values
    }

    private func failureIn(_ actions: [RTMPPublisher.Action]) -> LinkFailure? {
        for case .failed(let failure) in actions { return failure }
        return nil
    }

    /// Brings a publisher to where it awaits the answer to `publish`.
    private func publisherAwaitingStart(
        _ url: String = "rtmp://media.example/live/cam1?token=t"
    ) throws -> (RTMPPublisher, Peer) {
        var publisher = try makePublisher(url)
        var peer = Peer()
        _ = publisher.start()
        _ = try peer.messages(Array(publisher.received(RTMPServerScript.handshake).dropFirst()))
        var script = RTMPServerScript()
        script.connectResult()
        _ = try peer.messages(publisher.received(script.take()))
        script.command("_result", 4, .null, .number(7))
        _ = try peer.messages(publisher.received(script.take()))
        #expect(publisher.phase == .publishing)
        return (publisher, peer)
    }

    @Test func handshakeBytes() throws {
        var publisher = try makePublisher()
        guard case .send(let opening)? = publisher.start().first else {
            Issue.record("nothing sent")
            return
        }
        let bytes = Array(opening.readableBytesView)
        #expect(bytes.count == 1537)
        #expect(Array(bytes.prefix(12)) == [3, 1, 2, 3, 4, 0, 0, 0, 0, 0, 1, 2])
        // One byte at a time, C2 repeats S1.
        var answers: [RTMPPublisher.Action] = []
        let handshake = Array(RTMPServerScript.handshake.readableBytesView)
        for byte in handshake.dropLast() { answers += publisher.received(ByteBuffer(bytes: [byte])) }
        #expect(answers == [.send(ByteBuffer(repeating: 0x11, count: 1536))])
        #expect(publisher.phase == .handshake)
        _ = publisher.received(ByteBuffer(bytes: [0x22]))
        #expect(publisher.phase == .connecting)
    }

    @Test func whatIsNoRTMPIsToldApart() throws {
        var publisher = try makePublisher()
        _ = publisher.start()
        #expect(failureIn(publisher.received(ByteBuffer(string: "HTTP/1.1 400")))?.cause.code == .unreachable)
        #expect(publisher.phase == .closed)
    }

    @Test func commandSequence() throws {
        var publisher = try makePublisher()
        var peer = Peer()
        _ = publisher.start()
        let first = try peer.messages(Array(publisher.received(RTMPServerScript.handshake).dropFirst()))
        #expect(first.map(\.kind) == [5, 1, 20])
        #expect(peer.reader.chunkSize == 65536)
        let connect = try command(first[2])
        #expect(connect[0] == .string("connect"))
        #expect(connect[1] == .number(1))
        #expect(
            connect[2]
                == .object([
                    .init("app", .string("live")), .init("type", .string("nonprivate")),
                    .init("flashVer", .string("FMLE/3.0 (compatible; EdgeAgent)")),
                    .init("tcUrl", .string("rtmp://media.example/live")), .init("objectEncoding", .number(0)),
                ]))

        var script = RTMPServerScript()
        script.control(5, 5_000_000)
        script.control(6, 250_000)
        script.command("onBWDone", 0, .null, .number(8192))
        script.connectResult()
        let second = try peer.messages(publisher.received(script.take()))
        #expect(second.map(\.kind) == [5, 20, 20, 20])
        #expect(second[0].payload == ByteBuffer(integer: UInt32(250_000)))
        let key = AMF0.string("cam1?token=t")
        #expect(try command(second[1]) == [.string("releaseStream"), .number(2), .null, key])
        #expect(try command(second[2]) == [.string("FCPublish"), .number(3), .null, key])
        #expect(try command(second[3]) == [.string("createStream"), .number(4), .null])

        // Answers to releaseStream and FCPublish may be missing or errors.
        script.command("_error", 2, .null, RTMPServerScript.info("NetStream.Failed", level: "error"))
        script.command("onFCPublish", 0, .null)
        script.command("_result", 4, .null, .number(7))
        let third = try peer.messages(publisher.received(script.take()))
        #expect(third.count == 1)
        #expect(third[0].streamID == 7)
        #expect(try command(third[0]) == [.string("publish"), .number(5), .null, key, .string("live")])

        script.status("NetStream.Publish.Start")
        #expect(publisher.received(script.take()) == [.accepted])
        #expect(publisher.phase == .live)

        let farewell = try peer.messages(publisher.close())
        #expect(try command(farewell[0]) == [.string("FCUnpublish"), .number(6), .null, key])
        #expect(try command(farewell[1]) == [.string("deleteStream"), .number(7), .null, .number(7)])
        #expect(publisher.close().isEmpty)
    }

    @Test func pingsAreAnsweredOncePerRead() throws {
        var (publisher, peer) = try publisherAwaitingStart()
        var script = RTMPServerScript()
        for value in UInt32(1)...100 { script.ping(value) }
        let answers = try peer.messages(publisher.received(script.take()))
        #expect(answers.count == 1)
        #expect(Array(answers[0].payload.readableBytesView) == [0, 7, 0, 0, 0, 100])
    }

    @Test func acknowledgesWhatItReceived() throws {
        var (publisher, peer) = try publisherAwaitingStart()
        var script = RTMPServerScript()
        script.control(5, 20_000)
        _ = publisher.received(script.take())
        var sent = publisher.bytesReceived
        var seen: [UInt32] = []
        for _ in 0..<30 {
            script.message(18, ByteBuffer(repeating: 0, count: 1000), on: 5)
            let bytes = script.take()
            sent += UInt64(bytes.readableBytes)
            for message in try peer.messages(publisher.received(bytes)) where message.kind == 3 {
                seen.append(message.payload.getInteger(at: 0) ?? 0)
                #expect(UInt64(seen.last ?? 0) == sent)
            }
        }
        #expect(seen.count == 3)
    }

    @Test(arguments: [
        ("NetStream.Publish.BadName", CloseCause.Code.refused, Backoff.Pace.busy),
        ("NetStream.Publish.Unauthorized", .refused, .refused), ("NetStream.Publish.BadAuth", .refused, .refused),
        ("NetStream.Publish.Denied", .refused, .refused), ("NetStream.Publish.Rejected", .refused, .refused),
        ("NetStream.Something.Else", .refused, .normal),
    ])
    func refusals(code: String, cause: CloseCause.Code, pace: Backoff.Pace) throws {
        var (publisher, _) = try publisherAwaitingStart()
        var script = RTMPServerScript()
        script.status(code, level: "error")
        let failure = try #require(failureIn(publisher.received(script.take())))
        #expect(failure.cause.code == cause)
        #expect(failure.pace == pace)
        #expect(failure.cause.detail.contains(code))
        #expect(!failure.cause.detail.contains("token"))
        #expect(!failure.cause.detail.contains("cam1"))
    }

    @Test func theSameEndMeansDifferentThingsInDifferentPhases() throws {
        var fresh = try makePublisher()
        #expect(failureIn(fresh.connectionEnded(nil))?.cause.code == .unreachable)
        var (waiting, _) = try publisherAwaitingStart()
        let refused = try #require(failureIn(waiting.connectionEnded(nil)))
        #expect(refused.cause.code == .refused)
        #expect(refused.pace == .busy)
        var (live, _) = try publisherAwaitingStart()
        var script = RTMPServerScript()
        script.status("NetStream.Publish.Start")
        _ = live.received(script.take())
        var lost = live
        var ended = live
        #expect(failureIn(live.connectionEnded(nil))?.cause.code == .service)
        #expect(
            failureIn(lost.connectionEnded(LinkFailure(.networkLost, "timed out")))?.cause.code == .networkLost)
        script.status("NetStream.Unpublish.Success")
        #expect(failureIn(ended.received(script.take()))?.cause.code == .service)
        #expect(ended.connectionEnded(nil).isEmpty)
    }

    @Test func deadlines() throws {
        var fresh = try makePublisher()
        let failure = try #require(failureIn(fresh.deadlinePassed()))
        #expect(failure.isTimeout)
        #expect(failure.cause.code == .unreachable)
        var (waiting, _) = try publisherAwaitingStart()
        #expect(failureIn(waiting.deadlinePassed())?.isTimeout == true)
    }

    @Test func metadataCarriesSetDataFrame() throws {
        var (publisher, peer) = try publisherAwaitingStart()
        var script = RTMPServerScript()
        script.status("NetStream.Publish.Start")
        _ = publisher.received(script.take())
        var body = ByteBuffer()
        AMF0.string("onMetaData").write(to: &body)
        AMF0.ecmaArray([]).write(to: &body)
        publisher.write(FLVTag(kind: .script, body: body), timestamp: 5) { peer.reader.feed($0) }
        let message = try #require(try peer.reader.next())
        #expect(message.kind == 18)
        #expect(message.streamID == 7)
        #expect(message.timestamp == 5)
        #expect(try command(message) == [.string("@setDataFrame"), .string("onMetaData"), .ecmaArray([])])
    }

    @Test func adobeLogIn() throws {
        let url = "rtmp://camera:secret@media.example/live/cam1"
        func refusal(_ description: String) -> ByteBuffer {
            var script = RTMPServerScript()
            script.command(
                "_error", 1, .null,
                RTMPServerScript.info("NetConnection.Connect.Rejected", level: "error", description: description))
            return script.take()
        }
        func answer(_ authentication: RTMPAuthentication, _ description: String) throws -> [RTMPPublisher.Action] {
            var options = RTMPPublisher.Options(target: try PushTarget(url))
            options.authentication = authentication
            options.random = [0xDE, 0xAD, 0xBE, 0xEF]
            var publisher = RTMPPublisher(options)
            _ = publisher.received(RTMPServerScript.handshake)
            return publisher.received(refusal(description))
        }
        let needed = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
        guard case .connectAgain(let named)? = try answer(RTMPAuthentication(), needed).first else {
            Issue.record("no second connection")
            return
        }
        #expect(named.query == "?authmod=adobe&user=camera")
        let challenge =
            "[ AccessManager.Reject ] : [ authmod=adobe ] : "
            + "?reason=needauth&user=camera&salt=c2FsdA==&challenge=Y2hhbA==&opaque=b3BhcQ=="
        guard case .connectAgain(let answered)? = try answer(named, challenge).first else {
            Issue.record("no third connection")
            return
        }
        // By hand: base64(md5("camerac2FsdA==secret")), then base64(md5(that + "b3BhcQ==" + "deadbeef")).
        #expect(answered.query.hasPrefix("?authmod=adobe&user=camera&challenge=deadbeef&response="))
        #expect(answered.query.hasSuffix("&opaque=b3BhcQ=="))
        #expect(answered.query.contains("response=AXjBk8L42bNbQm582yRcJw==&"))
        #expect(failureIn(try answer(answered, challenge))?.pace == .refused)
        let wrong = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x"
        #expect(failureIn(try answer(answered, wrong))?.cause.code == .refused)
        #expect(failureIn(try answer(RTMPAuthentication(), "authmod=llnw"))?.cause.code == .refused)
        #expect(failureIn(try answer(RTMPAuthentication(), "no such application"))?.cause.code == .refused)
    }
}
