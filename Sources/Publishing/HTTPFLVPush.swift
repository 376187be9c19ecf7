import Containers
import Media
import NIOCore
import NIOHTTP1
import Streaming

/// A publishing HTTP connection: one POST whose body is an FLV stream without end, in chunked coding. Reads the answer
/// at any time: an early refusal is the only word such a service has.
final class HTTPFLVPush: PushTransport, ChannelInboundHandler, FrameSink {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Bodies are cut to parts of this size, so that progress is seen on slow links.
    static let maximumPart = 65536

    private var hasBegun = false
    private var hasFileHeader = false

    override init(target: PushTarget, settings: PublishingSettings, clock: any MediaClock) {
        super.init(target: target, settings: settings, clock: clock)
    }

    /// The POST's head.
    static func requestHead(_ target: PushTarget) -> HTTPRequestHead {
        var headers = HTTPHeaders([
            ("Host", target.authority), ("User-Agent", StreamHeaders.encoderName), ("Content-Type", "video/x-flv"),
            ("Transfer-Encoding", "chunked"),
        ])
        if let user = target.user {
            let secret = Base64.encode(Array("\(user):\(target.password ?? "")".utf8))
            headers.add(name: "Authorization", value: "Basic \(secret)")
        }
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: target.requestTarget, headers: headers)
    }

    /// What a status means that came while the body was still being sent; nil where sending goes on.
    static func failure(for status: HTTPResponseStatus, place: String) -> LinkFailure? {
        let said = "\(place) answers \(status.code) \(status.reasonPhrase)"
        return switch status.code {
        case 100..<300: nil
        case 401, 403, 407: LinkFailure(.refused, "\(said): is the key right?", pace: .refused)
        case 409, 423, 429: LinkFailure(.refused, "\(said): the name may still be taken", pace: .busy)
        case 300..<400: LinkFailure(.refused, "\(said): give the new address as the target", pace: .refused)
        case 400..<500: LinkFailure(.refused, said, pace: .refused)
        default: LinkFailure(.service, said)
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        attach(context)
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { detach() }

    func channelActive(context: ChannelHandlerContext) { begin() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let failure = Self.failure(for: head.status, place: target.redacted) { fail(failure) }
        case .body: break
        case .end:
            if isFinished {
                context.close(promise: nil)
            } else {
                fail(LinkFailure(.service, "\(target.redacted) ended the request"))
            }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { delegate?.transportBecameWritable() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError {
            fail(LinkFailure(.unreachable, "\(target.redacted) answers, but does not speak HTTP (\(error))"))
        } else if let failure = endingFailure(error) {
            fail(failure)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(endingFailure() ?? LinkFailure(.service, "\(target.redacted) closed the connection"))
        delegate?.transportClosed()
    }

    private func begin() {
        guard !hasBegun, let context else { return }
        hasBegun = true
        // The head is written once TLS stands; a service that never takes it is unreachable.
        setDeadline(settings.handshakeTimeout) { [weak self] in
            guard let self else { return }
            let place = self.target.redacted
            self.fail(LinkFailure(.unreachable, "\(place) did not take the request in time", isTimeout: true))
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenSuccess { bound.value.headWritten() }
        context.writeAndFlush(wrapOutboundOut(.head(Self.requestHead(target))), promise: promise)
    }

    private func headWritten() {
        guard !isFinished else { return }
        setDeadline(nil) {}
        delegate?.transportAccepted()
    }

    /// The final chunk; then the status is awaited for a while.
    func farewell() {
        guard beginFarewell(), let context else { return }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: FrameSink

    func send(headers: StreamHeaders, timestamp: UInt32) {
        if !hasFileHeader {
            hasFileHeader = true
            let format = headers.format
            write(FLVWriter.header(hasVideo: format.video != nil, hasAudio: format.audio != nil))
        }
        write(headers.metadata, timestamp: timestamp)
        if let video = headers.video { write(video, timestamp: timestamp) }
        if let audio = headers.audio { write(audio, timestamp: timestamp) }
    }

    func send(frame: StreamFrame, timestamp: UInt32) {
        write(frame.tag, timestamp: timestamp, completesFirstFrame: isFirstFrame(frame))
    }

    private func write(_ tag: FLVTag, timestamp: UInt32, completesFirstFrame: Bool = false) {
        var header = ByteBufferAllocator().buffer(capacity: FLVTag.headerLength)
        FLVWriter.writeTagHeader(kind: tag.kind, bodyLength: tag.bodyLength, timestamp: timestamp, to: &header)
        write(header)
        var left = tag.bodyAndTrailer
        while let part = left.readSlice(length: min(left.readableBytes, Self.maximumPart)), part.readableBytes > 0 {
            write(part, completesFirstFrame: completesFirstFrame && left.readableBytes == 0)
        }
    }

    private func write(_ bytes: ByteBuffer, completesFirstFrame: Bool = false) {
        guard !isFinished else { return }
        writeMetered(
            wrapOutboundOut(.body(.byteBuffer(bytes))), bytes: bytes.readableBytes,
            completesFirstFrame: completesFirstFrame)
    }
}
