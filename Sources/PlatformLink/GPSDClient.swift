import Media
import NIOCore
import NIOPosix
import PlatformProtocol

/// Follows a gpsd, and comes back to one that is away. Belongs to one event loop.
final class GPSDClient: @unchecked Sendable {
    /// Older positions are none.
    static let freshness = MediaTime.seconds(60)
    private static let pause = TimeAmount.seconds(10)

    private let server: PlatformSettings.Server
    private let loop: any EventLoop
    private let clock: any MediaClock
    private var channel: (any Channel)?
    private var latest: (position: PlatformSettings.Position, time: MediaTime)?
    private var isStopped = false

    init(_ server: PlatformSettings.Server, loop: any EventLoop, clock: any MediaClock) {
        self.server = server
        self.loop = loop
        self.clock = clock
    }

    var position: PlatformSettings.Position? {
        latest.flatMap { clock.now() - $0.time <= Self.freshness ? $0.position : nil }
    }

    func start() {
        guard !isStopped else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(GPSDHandler(client: bound.value))
                }
            }
            .connect(host: server.host, port: server.port)
            .whenComplete { bound.value.connected($0) }
    }

    func stop() {
        isStopped = true
        channel?.close(promise: nil)
        channel = nil
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard !isStopped else { return channel.close(promise: nil) }
            self.channel = channel
            channel.writeAndFlush(ByteBuffer(string: GPSDReader.watch), promise: nil)
        case .failure: ended()
        }
    }

    fileprivate func heard(_ fix: GPSDFix) {
        switch fix {
        case .position(let position): latest = (position, clock.now())
        case .lost: latest = nil
        }
    }

    fileprivate func ended() {
        channel = nil
        guard !isStopped else { return }
        loop.scheduleTask(in: Self.pause) { [weak self] in self?.start() }
    }
}

private final class GPSDHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private weak var client: GPSDClient?
    private var reader = GPSDReader()

    init(client: GPSDClient) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let fix = reader.feed(unwrapInboundIn(data).readableBytesView) { client?.heard(fix) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { client?.ended() }
}
