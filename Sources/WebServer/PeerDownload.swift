import ControlProtocol
import Logging
import NIOCore
import NIOPosix
import PeerToPeer
import Recording
import Signalling

/// A data channel on which a file is sent. Pieces of it are read on a thread that may wait for the disk, one ahead of
/// what is sent. Lives on the peer loop.
final class PeerDownload: DataChannelHandler, RegisteredViewer, Cancellable, @unchecked Sendable {
    /// What is read at once.
    static let pieceBytes: Int64 = 128 << 10

    private let startInfo: DownloadStart
    private let place: ViewerPlace
    private let channel: DataChannel
    private let registry: ViewerRegistry
    private let logger: Logger
    private let loop: any EventLoop
    private let connectedAt: NIODeadline
    private let remote: String

    /// The next byte to be read.
    private var position: Int64
    private var piece = ByteBuffer()
    private var isReading = false
    private var isFinished = false

    init(
        _ start: DownloadStart, place: ViewerPlace, channel: DataChannel, registry: ViewerRegistry, logger: Logger,
        on loop: any EventLoop
    ) {
        startInfo = start
        self.place = place
        self.channel = channel
        self.registry = registry
        self.logger = logger
        self.loop = loop
        connectedAt = loop.now
        remote = channel.link?.remote ?? ""
        position = start.wanted.lowerBound
        // A picture that is live goes before.
        channel.isBulk = true
    }

    func begin() {
        startInfo.begin(self)
        log("download begins")
        channel.send(startInfo.answer)
        step()
    }

    /// Another download of the same visitor begins. On this loop the place is free when this returns.
    func stop() {
        if loop.inEventLoop { end("replaced") } else { loop.execute { self.end("replaced") } }
    }

    private func end(_ cause: String) {
        guard !isFinished else { return }
        finish(cause)
        channel.close()
    }

    private func finish(_ cause: String) {
        guard !isFinished else { return }
        isFinished = true
        startInfo.end(self)
        registry.giveUpPlace(place)
        registry.leave(self, framesSent: 0, framesDropped: 0, bytesSent: channel.bytesSent)
        log("download ends", ["cause": "\(cause)", "bytes": "\(channel.bytesSent)"])
    }

    private func log(_ message: Logger.Message, _ extra: Logger.Metadata = [:]) {
        logger.info(
            message,
            metadata: extra.merging([
                "viewer": "\(place.id)", "visitor": "\(place.viewer.visitor)", "remote": "\(remote)",
                "transport": "peer", "file": "\(startInfo.file.segment.name)",
            ]) { own, _ in own })
    }

    // MARK: Pieces

    private func step() {
        while !isFinished, channel.isWritable, let message = piece.readMessage(channel) { channel.send(message) }
        guard !isFinished, !isReading, piece.readableBytes == 0 else { return }
        if position < startInfo.wanted.upperBound { read() } else { end("complete") }
    }

    private func read() {
        let count = min(Self.pieceBytes, startInfo.wanted.upperBound - position)
        let (file, offset) = (startInfo.file, position)
        position += count
        isReading = true
        startInfo.threads.runIfActive(eventLoop: loop) { file.read(at: offset, count: Int(count)) }
            .whenComplete { result in
                self.isReading = false
                guard case .success(let bytes) = result else { return self.end("agent stops") }
                guard let bytes else { return self.end("the file cannot be read") }
                self.piece = bytes
                self.step()
            }
    }

    // MARK: The channel

    func received(_ message: ByteBuffer, isText: Bool) {}

    func becameWritable() { step() }

    func closed() { finish("left") }

    // MARK: Being looked after

    func sweep(now: NIODeadline) {}

    func report(now: NIODeadline) -> ViewerReport {
        ViewerReport(
            id: place.id, visitor: place.viewer.number, requester: place.viewer.requester, activity: .download,
            channel: startInfo.channel, stream: startInfo.file.segment.key.stream == .main ? .main : .sub,
            transport: .peer, remote: remote,
            connectedSeconds: Double((now - connectedAt).nanoseconds / 1_000_000) / 1000,
            bytesSent: channel.bytesSent, framesSent: 0, framesDropped: 0,
            queuedBytes: piece.readableBytes + channel.waitingBytes)
    }
}

extension ByteBuffer {
    /// As much as a message carries; nil where nothing is left.
    fileprivate mutating func readMessage(_ channel: DataChannel) -> ByteBuffer? {
        readableBytes == 0 ? nil : readSlice(length: min(readableBytes, channel.messageBytes))
    }
}
