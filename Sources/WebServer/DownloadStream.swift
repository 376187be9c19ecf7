import ControlProtocol
import Glibc
import Logging
import NIOCore
import NIOPosix
import Recording
import Signalling

/// A connection on which a file is sent, from the kernel's memory of it straight to the socket.
///
/// Piece by piece: while one is sent, the next is brought into memory on a thread that may wait for the disk, so that
/// the event loop never does. A connection holds no bytes of the file itself, but for one piece where it is to be
/// encrypted.
final class DownloadStream: ChannelInboundHandler, RegisteredViewer, Cancellable, @unchecked Sendable {
    // Nothing that comes in is looked at, so it is never unwrapped.
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    /// What is sent at once. The kernel reads no more than about this ahead.
    static let pieceBytes: Int64 = 128 << 10

    private struct Piece {
        let range: Range<Int64>
        /// Read already; nil where the kernel takes them from the file.
        let bytes: ByteBuffer?
    }

    private let startInfo: DownloadStart
    private let id: UInt64
    private let place: ViewerPlace?
    private let remote: String
    private let loop: any EventLoop
    private let registry: ViewerRegistry
    private let stall: TimeAmount
    private let logger: Logger
    private let connectedAt: NIODeadline

    private var context: ChannelHandlerContext?
    private var handle: NIOFileHandle?
    /// The next byte to be brought into memory.
    private var position: Int64
    private var ready: Piece?
    /// What is sent passes the agent's memory then.
    private var isEncrypted = false
    private var isPreparing = false
    private var isWriting = false
    private var isEnding = false
    private var isFinished = false
    private var sent: Int64 = 0
    private var strayReads = 0
    private var lastProgress: NIODeadline
    private var lastSent: Int64 = 0
    private var cause = "left"

    init(
        _ start: DownloadStart, id: UInt64, place: ViewerPlace?, remote: String, on loop: any EventLoop,
        registry: ViewerRegistry,
        stall: TimeAmount, logger: Logger
    ) {
        startInfo = start
        self.id = id
        self.place = place
        self.remote = remote
        self.loop = loop
        self.registry = registry
        self.stall = stall
        self.logger = logger
        connectedAt = loop.now
        lastProgress = loop.now
        position = start.wanted.lowerBound
    }

    // MARK: Beginning and end

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isEncrypted = context.channel.isEncrypted
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func start(head: ByteBuffer) {
        // One for the channel and one for preparing.
        let descriptor = fcntl(startInfo.file.descriptor ?? -1, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return end("the file cannot be sent") }
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        startInfo.begin(self)
        log("download begins")
        context?.writeAndFlush(wrapOutboundOut(.byteBuffer(head)), promise: nil)
        step()
    }

    /// Another download of the same visitor begins. On this loop the place is free when this returns.
    func stop() {
        if loop.inEventLoop { end("replaced") } else { loop.execute { self.end("replaced") } }
    }

    private func end(_ cause: String) {
        guard !isEnding, !isFinished else { return }
        isEnding = true
        self.cause = cause
        leavePlace()
        context?.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        if !isEnding { leavePlace() }
        registry.leave(self, framesSent: 0, framesDropped: 0, bytesSent: Int(sent))
        log("download ends", ["cause": "\(cause)", "bytes": "\(sent)"])
        context = nil
        // What the channel still held was let go before this.
        try? handle?.close()
        handle = nil
    }

    private func leavePlace() {
        startInfo.end(self)
        if let place { registry.giveUpPlace(place) }
    }

    private func log(_ message: Logger.Message, _ extra: Logger.Metadata = [:]) {
        logger.info(
            message,
            metadata: extra.merging([
                "viewer": "\(id)", "remote": "\(remote)", "file": "\(startInfo.file.segment.name)",
            ]) { own, _ in own })
    }

    // MARK: Pieces

    private func step() {
        guard !isFinished, let context else { return }
        if let piece = ready, !isWriting {
            ready = nil
            write(piece, context)
        }
        if ready == nil, !isPreparing, position < startInfo.wanted.upperBound { prepare() }
        if ready == nil, !isPreparing, !isWriting { end("complete") }
    }

    private func prepare() {
        let piece = position..<min(position + Self.pieceBytes, startInfo.wanted.upperBound)
        position = piece.upperBound
        isPreparing = true
        let file = startInfo.file
        startInfo.threads.runIfActive(eventLoop: loop) { [isEncrypted] in
            if isEncrypted { return file.read(at: piece.lowerBound, count: piece.count) }
            file.bringIntoMemory(at: piece.lowerBound, count: Int64(piece.count))
            return nil
        }.whenComplete { (result: Result<ByteBuffer?, any Error>) in
            self.isPreparing = false
            guard case .success(let bytes) = result else { return self.end("agent stops") }
            guard !self.isEncrypted || bytes?.readableBytes == piece.count else {
                return self.end("the file cannot be read")
            }
            self.ready = Piece(range: piece, bytes: bytes)
            self.step()
        }
    }

    private func write(_ piece: Piece, _ context: ChannelHandlerContext) {
        guard let handle else { return }
        isWriting = true
        let region = FileRegion(
            fileHandle: handle, readerIndex: Int(piece.range.lowerBound), endIndex: Int(piece.range.upperBound))
        let data = piece.bytes.map { IOData.byteBuffer($0) } ?? .fileRegion(region)
        context.writeAndFlush(wrapOutboundOut(data)).assumeIsolated().whenComplete { result in
            self.isWriting = false
            guard case .success = result else { return self.end("left") }
            self.sent += Int64(piece.range.count)
            self.step()
        }
    }

    // MARK: Being looked after

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        strayReads += 1
        if strayReads > FLVViewer.maximumStrayReads { end("misbehaved") }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end("left") }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ServerShutdown { end("agent stops") } else { context.fireUserInboundEventTriggered(event) }
    }

    func sweep(now: NIODeadline) {
        if sent != lastSent {
            lastSent = sent
            lastProgress = now
        } else if now - lastProgress >= stall {
            end("stalled")
        }
    }

    func report(now: NIODeadline) -> ViewerReport {
        ViewerReport(
            id: id, visitor: startInfo.viewer?.number, requester: startInfo.viewer?.requester, activity: .download,
            channel: startInfo.channel,
            stream: startInfo.file.segment.key.stream == .main ? .main : .sub, transport: .http, remote: remote,
            connectedSeconds: Double((now - connectedAt).nanoseconds / 1_000_000) / 1000, bytesSent: Int(sent),
            framesSent: 0, framesDropped: 0, queuedBytes: 0)
    }
}
