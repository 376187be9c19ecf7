import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// An HTTP/1.1 server on one address. The agent runs two: one for viewers on TCP, one for control on a Unix socket.
package final class HTTPServer: Sendable {
    package enum Binding: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    /// Who connects.
    package enum Audience: Sendable, Hashable {
        /// Those who may open the control socket.
        case owner
        case network

        func caller(_ channel: any Channel) -> Caller {
            switch self {
            case .owner: .owner
            case .network: Caller(remote: channel.remoteAddress)
            }
        }
    }

    /// How long connections may take to end by themselves when the server closes.
    static let closingTime = TimeAmount.milliseconds(500)
    /// NIO's own buffer for a viewer: enough for any burst between two wakes of the event loop, small enough that
    /// what is too much is dropped by whole frames and not kept.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 64 << 10)
    static let receiveBytes = 2048

    private struct State: Sendable {
        var listener: (any Channel)?
        var unixSocket: UnixSocket?
    }

    private let group: any EventLoopGroup
    private let server: ServerContext
    /// For those who speak plain HTTP at a port that speaks TLS.
    private let plain: ServerContext
    private let certificate: ServerCertificate?
    private let connections = ConnectionTable()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - certificate: that it speaks TLS with; read before the server starts. Nil for plain HTTP.
    ///   - group: its loops carry all connections; it outlives the server.
    package init(
        router: GuardedRouter, audience: Audience, policy: CrossOriginPolicy, settings: WebServerSettings,
        registry: ViewerRegistry,
        certificate: ServerCertificate? = nil, group: any EventLoopGroup, logger: Logger
    ) {
        self.group = group
        self.certificate = certificate
        func context(_ router: GuardedRouter) -> ServerContext {
            ServerContext(
                router: router, audience: audience, policy: policy, settings: settings, registry: registry,
                logger: logger)
        }
        server = context(router)
        plain = context(router.with(PlainHTTPRoutes()))
    }

    /// The bound port; nil for a Unix socket or before `start`.
    package var port: Int? { state.withLock { $0.listener?.localAddress?.port } }
    package var connectionCount: Int { connections.count }

    /// Begins to listen. Once only.
    package func start(_ binding: Binding) async throws(WebServerError) {
        switch binding {
        case .tcp(let host, let port):
            let bootstrap = bootstrap()
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.tcpOption(.keepIdle), value: TCPKeepAlive.idleSeconds)
                .childChannelOption(.tcpOption(.keepInterval), value: TCPKeepAlive.intervalSeconds)
                .childChannelOption(.tcpOption(.keepCount), value: TCPKeepAlive.attempts)
                .childChannelOption(
                    .socketOption(.so_sndbuf), value: .init(clamping: server.settings.sendBufferBytes))
            do {
                let listener = try await bootstrap.bind(host: host, port: port).get()
                state.withLock { $0.listener = listener }
                server.logger.info("listening", metadata: ["address": "\(host):\(listener.localAddress?.port ?? port)"])
            } catch {
                throw Self.failure(error, host: host, port: port)
            }
        case .unixSocket(let path):
            let unixSocket = try UnixSocket.listen(at: path)
            do {
                let listener = try await bootstrap().withBoundSocket(unixSocket.descriptor).get()
                state.withLock { $0 = State(listener: listener, unixSocket: unixSocket) }
                server.logger.info("listening", metadata: ["socket": "\(path)"])
            } catch {
                unixSocket.removeFile()
                throw WebServerError("cannot listen on the control socket \(path): \(error)")
            }
        }
    }

    /// Listens no more, lets every connection end, and ends those that do not within half a second.
    package func close() async {
        let (listener, unixSocket) = state.withLock { state in
            defer { state = State() }
            return (state.listener, state.unixSocket)
        }
        unixSocket?.removeFile()
        if let listener { try? await listener.close().get() }
        let loop = group.next()
        let open = connections.all
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ServerShutdown()) }
        let force = loop.scheduleTask(in: Self.closingTime) { for channel in open { channel.close(promise: nil) } }
        try? await EventLoopFuture.andAllComplete(open.map(\.closeFuture), on: loop).get()
        force.cancel()
    }

    /// Makes a channel of any kind a connection of this server, as `start` does with those it accepts. On the channel's
    /// event loop.
    package func addHandlers(to channel: any Channel) throws {
        try HTTPConnection.addHandlers(to: channel, server: server)
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.receiveBytes))
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelInitializer { [server, plain, certificate, connections] channel in
                channel.eventLoop.makeCompletedFuture {
                    let count = connections.add(channel)
                    let limit = server.settings.connectionLimit
                    // A few more are let in to be told; past those even that would cost too much.
                    guard count <= limit + WebServerSettings.spareConnections else { throw ChannelError.eof }
                    guard let certificate else {
                        return try HTTPConnection.addHandlers(to: channel, server: server, isRefused: count > limit)
                    }
                    guard let context = certificate.context else { throw ChannelError.eof }
                    let entrance = TLSEntrance(context, secure: server, plain: plain, isRefused: count > limit)
                    try channel.pipeline.syncOperations.addHandler(entrance)
                }
            }
    }

    private static func failure(_ error: any Error, host: String, port: Int) -> WebServerError {
        let hint =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: "another program listens there; stop it or choose another server.port"
            case EACCES: "ports below 1024 need a privilege; choose another server.port"
            case EADDRNOTAVAIL: "this machine has no such address; see server.address"
            default: "\(error)"
            }
        return WebServerError("cannot listen on \(host):\(port): \(hint)")
    }
}

/// The open connections of a server.
private final class ConnectionTable: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    var count: Int { channels.withLock { $0.count } }
    var all: [any Channel] { channels.withLock { Array($0.values) } }

    /// The number of connections, this one included. It takes itself out when it closes.
    func add(_ channel: any Channel) -> Int {
        let key = ObjectIdentifier(channel)
        channel.closeFuture.whenComplete { [self] _ in channels.withLock { _ = $0.removeValue(forKey: key) } }
        return channels.withLock { channels in
            channels[key] = channel
            return channels.count
        }
    }
}
