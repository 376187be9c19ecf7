import Containers
import NIOCore
import NIOPosix
import Publishing

/// A media service on loopback that behaves as badly as it is told to.
final class FakeService: Sendable {
    enum Manner: Sendable, Hashable {
        case accepts
        case status(String)
        case closesAtPublish
        /// Accepts, takes so many media messages, and closes.
        case closesAfter(Int)
        /// Accepts, and never reads again.
        case stopsReading
        /// Answers nothing at all.
        case mute
        case speaksHTTP(String)
        /// Wants Adobe's log-in.
        case wantsLogIn
    }

    enum Event: Sendable, Hashable {
        case connected
        case command(String, app: String?)
        case media(UInt8)
        case closed
    }

    let port: Int
    let events: AsyncStream<Event>
    private let channel: any Channel

    convenience init(_ manner: Manner, port: Int = 0, group: any EventLoopGroup) async throws {
        try await self.init([manner], port: port, group: group)
    }

    /// The n-th connection meets the n-th manner, and later ones the last.
    init(_ manners: [Manner], port: Int = 0, group: any EventLoopGroup) async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        let counter = NIOLoopCounter()
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                let manner = manners[min(counter.next(), manners.count - 1)]
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FakeServiceHandler(manner: manner) { continuation.yield($0) })
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        self.port = channel.localAddress?.port ?? 0
    }

    var target: String { "rtmp://127.0.0.1:\(port)/live/secret" }

    func stop() async { try? await channel.close().get() }
}

private final class NIOLoopCounter: @unchecked Sendable {  // the server channel makes its children one by one
    private var count = 0
    func next() -> Int {
        defer { count += 1 }
        return count
    }
}

private final class FakeServiceHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let manner: FakeService.Manner
    private let report: (FakeService.Event) -> Void
    private var handshakeLeft = 1 + 2 * 1536
    private var reader = RTMPChunkReader()
    private var media = 0

    init(manner: FakeService.Manner, report: @escaping (FakeService.Event) -> Void) {
        self.manner = manner
        self.report = report
    }

    func channelActive(context: ChannelHandlerContext) {
        report(.connected)
        if case .speaksHTTP(let answer) = manner {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { report(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if manner == .mute { return }
        if case .speaksHTTP = manner { return }
        if handshakeLeft > 0 {
            let isFirst = handshakeLeft == 1 + 2 * 1536
            let count = min(handshakeLeft, bytes.readableBytes)
            bytes.moveReaderIndex(forwardBy: count)
            handshakeLeft -= count
            if isFirst { context.writeAndFlush(wrapOutboundOut(RTMPServerScript.handshake), promise: nil) }
        }
        guard handshakeLeft == 0, bytes.readableBytes > 0 else { return }
        reader.feed(bytes)
        while let message = try? reader.next() { handle(message, context) }
    }

    private func handle(_ message: RTMPMessage, _ context: ChannelHandlerContext) {
        if message.kind == 8 || message.kind == 9 {
            media += 1
            report(.media(message.kind))
            if case .closesAfter(let limit) = manner, media >= limit { context.close(promise: nil) }
        }
        guard message.kind == 20 else { return }
        var payload = message.payload
        guard let name = try? AMF0.read(from: &payload).string, (try? AMF0.read(from: &payload)) != nil else { return }
        let object = try? AMF0.read(from: &payload)
        report(.command(name, app: object?["app"]?.string))
        var script = RTMPServerScript()
        switch name {
        case "connect":
            script.control(5, 2_500_000)
            let app = object?["app"]?.string ?? ""
            if manner == .wantsLogIn, !app.contains("response=") {
                let ask =
                    app.contains("user=")
                    ? "authmod=adobe : ?reason=needauth&user=u&salt=s&challenge=c" : "code=403 need auth; authmod=adobe"
                script.command(
                    "_error", 1, .null,
                    RTMPServerScript.info("NetConnection.Connect.Rejected", level: "error", description: ask))
            } else {
                script.connectResult()
            }
        case "createStream": script.command("_result", 4, .null, .number(1))
        case "publish":
            switch manner {
            case .closesAtPublish:
                context.close(promise: nil)
                return
            case .status(let code): script.status(code, level: "error")
            case .stopsReading:
                script.status("NetStream.Publish.Start")
                _ = context.channel.setOption(ChannelOptions.autoRead, value: false)
            default: script.status("NetStream.Publish.Start")
            }
        default: break
        }
        let bytes = script.take()
        if bytes.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
    }
}
