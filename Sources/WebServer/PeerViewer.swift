import Containers
import ControlProtocol
import Logging
import NIOCore
import PeerToPeer
import Signalling
import Streaming

/// A data channel on which somebody watches: takes the frames of a feed and sends them as FLV, cut into messages.
/// Lives on the peer loop.
final class PeerViewer: DataChannelHandler, FrameSink, RegisteredViewer, Cancellable, @unchecked Sendable {
    /// How much may wait above the link's own buffer before frames are dropped. Less than for others: what is late on
    /// a poor path is better dropped than sent.
    static let limits = Subscription.Limits(bytes: 2 << 20, span: .milliseconds(400))
    /// A viewer has nothing to say on this channel; one that says so much is sent away.
    static let maximumStrayMessages = 256

    struct Description: Sendable {
        let place: ViewerPlace
        let activity: ViewerReport.Activity
        let channel: Int
        let stream: StreamQuality
    }

    private let description: Description
    private let channel: DataChannel
    private let registry: ViewerRegistry
    private let logger: Logger
    private let loop: any EventLoop
    private let onEnd: (PeerViewer?) -> Void
    private let connectedAt: NIODeadline
    private let remote: String

    private var feed: (any FrameFeed)?
    private var sentHeader = false
    private var hasHead = false
    private var isFinished = false
    private var isDraining = false
    private var strayMessages = 0
    private var isOnLesserStream = false
    private var departure = "left"
    /// The beginning of a frame with its header, as one message.
    private var first = ByteBuffer()

    /// - Parameter onEnd: called once, when the viewer has nothing more to do with its feed.
    init(
        _ description: Description, channel: DataChannel, registry: ViewerRegistry, logger: Logger,
        on loop: any EventLoop, onEnd: @escaping (PeerViewer?) -> Void
    ) {
        self.description = description
        self.channel = channel
        self.registry = registry
        self.logger = logger
        self.loop = loop
        self.onEnd = onEnd
        connectedAt = loop.now
        remote = channel.link?.remote ?? ""
        first.reserveCapacity(channel.maximumMessageBytes)
    }

    // MARK: Beginning and end

    /// - Parameter begin: has a feed send its frames to this viewer; the first ones perhaps at once.
    func start(_ begin: (PeerViewer, any EventLoop) -> (any FrameFeed)?) {
        guard let feed = begin(self, loop) else {
            channel.send(
                .error(
                    status: 503, code: "streamEnded",
                    message: "the stream of channel \(description.channel) has just ended"))
            return end("stream ended")
        }
        guard !isFinished else { return feed.cancel() }
        self.feed = feed
        log("viewer connected")
        sendHead()
        becameWritable()
    }

    func closed() { finish() }

    /// Another stream of the same visitor takes its place.
    func stop() {
        if loop.inEventLoop { end("replaced") } else { loop.execute { self.end("replaced") } }
    }

    private func end(_ departure: String) {
        guard !isFinished else { return }
        self.departure = departure
        finish()
        channel.close()
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        let counters = feed?.counters
        feed?.cancel()
        feed = nil
        onEnd(self)
        registry.giveUpPlace(description.place)
        registry.leave(
            self, framesSent: counters?.framesSent ?? 0, framesDropped: counters?.framesDropped ?? 0,
            bytesSent: channel.bytesSent)
        log(
            "viewer disconnected",
            [
                "cause": "\(departure)", "framesSent": "\(counters?.framesSent ?? 0)",
                "framesDropped": "\(counters?.framesDropped ?? 0)",
            ])
    }

    private func log(_ message: Logger.Message, _ extra: Logger.Metadata = [:]) {
        logger.info(
            message,
            metadata: extra.merging([
                "viewer": "\(description.place.id)", "visitor": "\(description.place.viewer.visitor)",
                "remote": "\(remote)", "transport": "peer",
                "stream": "\(description.channel)/\(description.stream.rawValue)",
                "activity": "\(description.activity.rawValue)",
            ]) { own, _ in own })
    }

    /// The path carries another of the channel's streams better.
    func changed(toLevel level: Int) {
        isOnLesserStream = level > 0
        log("viewer's stream changed", ["to": isOnLesserStream ? "sub" : "main"])
    }

    // MARK: Frames out

    var isWritable: Bool { !isFinished && channel.isWritable }

    func send(headers: StreamHeaders, timestamp: UInt32) {
        sendHead()
        let block = headers.flv(timestamp: timestamp, isFirst: !sentHeader)
        sentHeader = true
        channel.send(block)
    }

    func send(frame: StreamFrame, timestamp: UInt32) {
        let body = frame.tag.bodyAndTrailer
        first.clear()
        FLVWriter.writeTagHeader(
            kind: frame.tag.kind, bodyLength: body.readableBytes - FLVTag.trailerLength, timestamp: timestamp,
            to: &first)
        body.withUnsafeReadableBytes { bytes in
            let begin = min(bytes.count, channel.maximumMessageBytes - FLVTag.headerLength)
            first.writeBytes(bytes.prefix(begin))
            first.withUnsafeReadableBytes { channel.send($0) }
            for start in stride(from: begin, to: bytes.count, by: channel.maximumMessageBytes) {
                let end = min(start + channel.maximumMessageBytes, bytes.count)
                channel.send(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
        }
    }

    /// Messages leave as they are sent.
    func flush() {}

    func streamEnded() { end("stream ended") }

    func streamBroke() { end("footage cannot be read") }

    private func sendHead() {
        guard !hasHead else { return }
        hasHead = true
        channel.send(.flv())
    }

    func becameWritable() {
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        repeat { feed?.sinkBecameWritable() } while feed?.hasBacklog == true && isWritable
    }

    func received(_ message: ByteBuffer, isText: Bool) {
        strayMessages += 1
        if strayMessages > Self.maximumStrayMessages { end("misbehaved") }
    }

    // MARK: Being looked after

    /// Whether the peer is there at all is for the link to find out.
    func sweep(now: NIODeadline) {}

    func report(now: NIODeadline) -> ViewerReport {
        let counters = feed?.counters
        return ViewerReport(
            id: description.place.id, visitor: description.place.viewer.number,
            requester: description.place.viewer.requester, activity: description.activity, channel: description.channel,

            stream: description.stream == .main && !isOnLesserStream ? .main : .sub, transport: .peer, remote: remote,
            connectedSeconds: Double((now - connectedAt).nanoseconds / 1_000_000) / 1000,
            bytesSent: channel.bytesSent, framesSent: counters?.framesSent ?? 0,
            framesDropped: counters?.framesDropped ?? 0,
            queuedBytes: (feed?.queuedBytes ?? 0) + channel.waitingBytes)
    }
}
