import NIOCore
import NIOSSL

/// The first handler of a connection at a port that speaks TLS: finds out by the first byte whether the client does, too.
/// Who speaks plain HTTP is told where to go, and nothing else.
final class TLSEntrance: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Of a record that holds a handshake (RFC 8446, 5.1).
    private static let handshake: UInt8 = 22

    private let context: NIOSSLContext
    private let secure: ServerContext
    private let plain: ServerContext
    private let isRefused: Bool
    private var deadline: Scheduled<Void>?

    /// - Parameters:
    ///   - secure: what is served over TLS.
    ///   - plain: what is said to those who speak plain HTTP.
    init(_ context: NIOSSLContext, secure: ServerContext, plain: ServerContext, isRefused: Bool) {
        self.context = context
        self.secure = secure
        self.plain = plain
        self.isRefused = isRefused
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let time = TimeAmount.seconds(Int64(secure.settings.requestSeconds))
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
        let isTLS = first == Self.handshake
        do {
            let pipeline = context.pipeline.syncOperations
            if isTLS { try pipeline.addHandler(NIOSSLServerHandler(context: self.context)) }
            try HTTPConnection.addHandlers(
                to: context.channel, server: isTLS ? secure : plain, isRefused: isRefused)
        } catch {
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
