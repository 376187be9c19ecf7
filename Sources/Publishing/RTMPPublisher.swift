import Containers
import Media
import NIOCore

/// The publishing client of RTMP as a value: bytes and events in, actions out ("RTMP 1.0", 5 to 7).
///
/// One value serves one connection: handshake, connect, createStream, publish, media, farewell.
package struct RTMPPublisher: Sendable {
    package enum Action: Sendable, Equatable {
        case send(ByteBuffer)
        /// The service takes the stream: media may be sent.
        case accepted
        /// Close this connection and begin anew with this log-in.
        case connectAgain(RTMPAuthentication)
        /// Close this connection.
        case failed(LinkFailure)
    }

    package enum Phase: Sendable, Hashable {
        case handshake
        /// `connect` went out.
        case connecting
        case creatingStream
        /// `publish` went out.
        case publishing
        case live
        case closed
    }

    package struct Options: Sendable {
        package var target: PushTarget
        package var authentication = RTMPAuthentication()
        package var chunkSize = 65536
        package var queryInTcURL = false
        /// Milliseconds of any clock.
        package var time: UInt32 = 0
        /// For the handshake and a log-in.
        package var random: [UInt8] = []

        package init(target: PushTarget) { self.target = target }
    }

    package static let flashVersion = "FMLE/3.0 (compatible; EdgeAgent)"
    /// What the service may send before it must hear an acknowledgement, and what we ask of it.
    package static let windowSize: UInt32 = 2_500_000
    /// Longer messages from a service are refused; real ones are far below.
    package static let maximumMessageLength = 1 << 20

    package private(set) var phase = Phase.handshake
    package private(set) var bytesReceived: UInt64 = 0

    private enum Transaction {
        static let connect = 1.0
        static let releaseStream = 2.0
        static let fcPublish = 3.0
        static let createStream = 4.0
        static let publish = 5.0
        static let fcUnpublish = 6.0
        static let deleteStream = 7.0
    }

    private let options: Options
    private var handshake: RTMPHandshake
    private var reader: RTMPChunkReader
    private var writer = RTMPChunkWriter()
    private var streamID: UInt32 = 0
    private var peerWindow = UInt64(windowSize)
    private var lastAcknowledged: UInt64 = 0
    private var lastPeerBandwidth: UInt32 = 0

    package init(_ options: Options) {
        self.options = options
        handshake = RTMPHandshake(time: options.time, random: options.random)
        var limits = RTMPChunkReader.Limits()
        limits.messageLength = Self.maximumMessageLength
        limits.unfinishedBytes = 2 * Self.maximumMessageLength
        reader = RTMPChunkReader(limits: limits)
    }

    /// Bytes held of what the service sent.
    package var bufferedBytes: Int { reader.bufferedBytes + reader.unfinishedBytes }

    private var place: String { options.target.redacted }

    // MARK: Events

    /// The connection stands.
    package mutating func start() -> [Action] { [.send(handshake.opening)] }

    package mutating func received(_ bytes: ByteBuffer) -> [Action] {
        guard phase != .closed else { return [] }
        bytesReceived += UInt64(bytes.readableBytes)
        var bytes = bytes
        var actions: [Action] = []
        if phase == .handshake {
            do throws(RTMPHandshake.Failure) {
                if let answer = try handshake.receive(&bytes) { actions.append(.send(answer)) }
            } catch {
                return actions + fail(LinkFailure(.unreachable, "\(place) answers, but does not speak RTMP"))
            }
            guard handshake.isComplete else { return actions }
            phase = .connecting
            actions += connect()
        }
        reader.feed(bytes)
        var ping: ByteBuffer?
        do throws(RTMPChunkReader.ParseError) {
            while phase != .closed, let message = try reader.next() {
                actions += handle(message, ping: &ping)
            }
        } catch {
            return actions + fail(LinkFailure(.service, "\(place) sent what is no RTMP (\(error))"))
        }
        guard phase != .closed else { return actions }
        // The newest ping of each read is answered, so a flood of them brings no flood back.
        if let ping {
            var body = ByteBuffer(integer: RTMPMessage.UserControl.pong)
            body.writeImmutableBuffer(ping)
            actions.append(control(RTMPMessage.Kind.userControl, body))
        }
        if bytesReceived - lastAcknowledged >= peerWindow / 2 {
            lastAcknowledged = bytesReceived
            let total = UInt32(truncatingIfNeeded: bytesReceived)
            actions.append(control(RTMPMessage.Kind.acknowledgement, ByteBuffer(integer: total)))
        }
        return actions
    }

    /// The service closed the connection, or it broke with what the transport says.
    package mutating func connectionEnded(_ failure: LinkFailure?) -> [Action] {
        guard phase != .closed else { return [] }
        if let failure, phase == .live || failure.cause.code != .service { return fail(failure) }
        switch phase {
        case .handshake:
            return fail(LinkFailure(.unreachable, "\(place) closed the connection during the handshake"))
        case .connecting, .creatingStream:
            return fail(
                LinkFailure(
                    .refused, "\(place) closed the connection instead of answering: is the application's name right?",
                    pace: .busy))
        case .publishing:
            return fail(
                LinkFailure(
                    .refused,
                    "\(place) closed the connection instead of accepting the stream: the key is not accepted, or the "
                        + "service still holds an older publisher of that name", pace: .busy))
        case .live: return fail(LinkFailure(.service, "\(place) closed the connection"))
        case .closed: return []
        }
    }

    /// What was due in this phase did not come in time.
    package mutating func deadlinePassed() -> [Action] {
        switch phase {
        case .handshake:
            fail(LinkFailure(.unreachable, "\(place) did not finish the handshake in time", isTimeout: true))
        case .connecting, .creatingStream, .publishing:
            fail(LinkFailure(.unreachable, "\(place) did not accept the stream in time", isTimeout: true))
        case .live, .closed: []
        }
    }

    /// The farewell: what a service needs to free the name at once.
    package mutating func close() -> [Action] {
        defer { phase = .closed }
        switch phase {
        case .publishing, .live:
            return [
                command("FCUnpublish", Transaction.fcUnpublish, [.null, .string(options.target.key)]),
                command("deleteStream", Transaction.deleteStream, [.null, .number(Double(streamID))]),
            ]
        case .handshake, .connecting, .creatingStream, .closed: return []
        }
    }

    // MARK: Media

    /// Calls `emit` with the parts of a message whose payload is the tag's body. To be used when live only.
    package mutating func write(_ tag: FLVTag, timestamp: UInt32, emit: (ByteBuffer) -> Void) {
        let chunkStream: UInt32
        var payload = tag.body
        switch tag.kind {
        case .audio: chunkStream = RTMPMessage.ChunkStream.audio
        case .video: chunkStream = RTMPMessage.ChunkStream.video
        case .script:
            chunkStream = RTMPMessage.ChunkStream.data
            var named = ByteBuffer()
            AMF0.string("@setDataFrame").write(to: &named)
            named.writeBuffer(&payload)
            payload = named
        }
        let message = RTMPMessage(
            kind: tag.kind.rawValue, streamID: streamID, timestamp: timestamp, payload: payload)
        writer.write(message, on: chunkStream, emit: emit)
    }

    // MARK: Messages from the service

    private mutating func handle(_ message: RTMPMessage, ping: inout ByteBuffer?) -> [Action] {
        var payload = message.payload
        switch message.kind {
        case RTMPMessage.Kind.windowSize:
            if let size: UInt32 = payload.readInteger(), size > 0 { peerWindow = UInt64(size) }
            return []
        case RTMPMessage.Kind.peerBandwidth:
            guard let size: UInt32 = payload.readInteger(), size > 0, size != lastPeerBandwidth else { return [] }
            lastPeerBandwidth = size
            return [control(RTMPMessage.Kind.windowSize, ByteBuffer(integer: size))]
        case RTMPMessage.Kind.userControl:
            if let event: UInt16 = payload.readInteger(), event == RTMPMessage.UserControl.ping,
                let data = payload.readSlice(length: 4)
            {
                ping = data
            }
            return []
        case RTMPMessage.Kind.command: return handleCommand(payload)
        case RTMPMessage.Kind.commandAMF3:
            // In practice a zero byte, and AMF0 behind it.
            guard payload.readInteger(as: UInt8.self) != nil else { return [] }
            return handleCommand(payload)
        default: return []
        }
    }

    private mutating func handleCommand(_ payload: ByteBuffer) -> [Action] {
        var payload = payload
        let name: String
        let transaction: Double
        var values: [AMF0] = []
        do throws(AMF0.ParseError) {
            name = try AMF0.read(from: &payload).string ?? ""
            transaction = try AMF0.read(from: &payload).number ?? 0
            while payload.readableBytes > 0, values.count < 4 { values.append(try AMF0.read(from: &payload)) }
        } catch {
            return fail(LinkFailure(.service, "\(place) sent a command that cannot be read (\(error))"))
        }
        switch name {
        case "_result": return handleResult(transaction, values)
        case "_error": return handleError(transaction, values)
        case "onStatus": return handleStatus(values)
        case "close": return connectionEnded(nil)
        default: return []
        }
    }

    private mutating func handleResult(_ transaction: Double, _ values: [AMF0]) -> [Action] {
        switch (phase, transaction) {
        case (.connecting, Transaction.connect):
            phase = .creatingStream
            let key = AMF0.string(options.target.key)
            // Together: some services never answer the first two.
            return [
                command("releaseStream", Transaction.releaseStream, [.null, key]),
                command("FCPublish", Transaction.fcPublish, [.null, key]),
                command("createStream", Transaction.createStream, [.null]),
            ]
        case (.creatingStream, Transaction.createStream):
            guard let number = values.last?.number, let id = UInt32(exactly: number) else {
                return fail(LinkFailure(.service, "\(place) gave no number for the stream"))
            }
            streamID = id
            phase = .publishing
            return [
                command(
                    "publish", Transaction.publish, [.null, .string(options.target.key), .string("live")], streamID: id)
            ]
        default: return []
        }
    }

    private mutating func handleError(_ transaction: Double, _ values: [AMF0]) -> [Action] {
        let description = Self.description(values)
        switch (phase, transaction) {
        case (.connecting, Transaction.connect): return connectRefused(description)
        case (.creatingStream, Transaction.createStream):
            return fail(LinkFailure(.refused, "\(place) makes no stream: \(description)"))
        case (.publishing, Transaction.publish):
            return fail(LinkFailure(.refused, "\(place) refuses the stream: \(description)", pace: .refused))
        default: return []
        }
    }

    private mutating func connectRefused(_ description: String) -> [Action] {
        let step = options.authentication.next(
            description: description, user: options.target.user, password: options.target.password,
            clientChallenge: Self.hexadecimal(options.random.prefix(4)))
        switch step {
        case .connectAgain(let authentication):
            phase = .closed
            return [.connectAgain(authentication)]
        case .refused(let why): return fail(LinkFailure(.refused, "\(place): \(why)", pace: .refused))
        case nil:
            return fail(LinkFailure(.refused, "\(place) refuses the connection: \(description)", pace: .refused))
        }
    }

    private mutating func handleStatus(_ values: [AMF0]) -> [Action] {
        let info = values.last { $0["code"] != nil }
        let code = info?["code"]?.string ?? ""
        let description = Self.description(values)
        switch code {
        case "NetStream.Publish.Start":
            guard phase == .publishing else { return [] }
            phase = .live
            return [.accepted]
        case "NetStream.Publish.BadName":
            return fail(
                LinkFailure(
                    phase == .live ? .service : .refused,
                    "\(place) still has a publisher of that name, or takes no such name: \(description)", pace: .busy))
        case "NetStream.Publish.Unauthorized", "NetStream.Publish.BadAuth", "NetStream.Publish.Denied",
            "NetStream.Publish.Rejected":
            return fail(LinkFailure(.refused, "\(place) refuses the stream: \(description)", pace: .refused))
        case "NetConnection.Connect.Rejected", "NetConnection.Connect.InvalidApp":
            guard phase != .live else { return fail(LinkFailure(.service, "\(place): \(description)")) }
            return connectRefused(description)
        case "NetStream.Unpublish.Success", "NetConnection.Connect.Closed", "NetConnection.Connect.AppShutdown":
            return fail(LinkFailure(.service, "\(place) ended the stream: \(description)"))
        default:
            guard info?["level"]?.string == "error" else { return [] }
            return fail(LinkFailure(phase == .live ? .service : .refused, "\(place): \(description)"))
        }
    }

    /// Code and description of an answer, cut to what a log line bears.
    private static func description(_ values: [AMF0]) -> String {
        let info = values.last { $0["code"] != nil || $0["description"] != nil }
        let parts = [info?["code"]?.string, info?["description"]?.string].compactMap { $0 }.filter { !$0.isEmpty }
        return parts.isEmpty ? "no reason given" : String(parts.joined(separator: ": ").prefix(500))
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Messages to the service

    private mutating func connect() -> [Action] {
        let window = control(RTMPMessage.Kind.windowSize, ByteBuffer(integer: Self.windowSize))
        let size = UInt32(min(max(options.chunkSize, 128), RTMPChunkReader.maximumChunkSize))
        let chunk = control(RTMPMessage.Kind.setChunkSize, ByteBuffer(integer: size))
        writer.setChunkSize(Int(size))
        let logIn = options.authentication.query
        let connect = command(
            "connect", Transaction.connect,
            [
                .object([
                    .init("app", .string(options.target.application + logIn)),
                    .init("type", .string("nonprivate")),
                    .init("flashVer", .string(Self.flashVersion)),
                    .init("tcUrl", .string(options.target.tcURL(withQuery: options.queryInTcURL) + logIn)),
                    .init("objectEncoding", .number(0)),
                ])
            ])
        return [window, chunk, connect]
    }

    private mutating func control(_ kind: UInt8, _ payload: ByteBuffer) -> Action {
        send(RTMPMessage(kind: kind, payload: payload), on: RTMPMessage.ChunkStream.control)
    }

    private mutating func command(
        _ name: String, _ transaction: Double, _ values: [AMF0], streamID: UInt32 = 0
    ) -> Action {
        var payload = ByteBuffer()
        AMF0.string(name).write(to: &payload)
        AMF0.number(transaction).write(to: &payload)
        for value in values { value.write(to: &payload) }
        return send(
            RTMPMessage(kind: RTMPMessage.Kind.command, streamID: streamID, payload: payload),
            on: RTMPMessage.ChunkStream.command)
    }

    private mutating func send(_ message: RTMPMessage, on chunkStream: UInt32) -> Action {
        var whole = ByteBuffer()
        writer.write(message, on: chunkStream) { whole.writeImmutableBuffer($0) }
        return .send(whole)
    }

    private mutating func fail(_ failure: LinkFailure) -> [Action] {
        phase = .closed
        return [.failed(failure)]
    }
}
