import ControlProtocol
import NIOCore
import NIOHTTP1

/// A connection whose request body is heard as it comes: `POST /voice`. The answer's head says that the speaker is open,
/// its body, at the end, how it went. Then the connection ends.
///
/// Reading never stops. What is too much for the speaker is let go by the jitter buffer, not held back in the network,
/// where it would only be late.
final class VoiceUpload: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// A client that is refused may still be sending. It has so long to read why, before the connection ends.
    static let farewell = TimeAmount.seconds(2)

    private let start: VoiceStart
    private let head: HTTPRequestHead
    private let crossOrigin: [(name: String, value: String)]
    private let isChunked: Bool
    private var intake: VoiceIntake?
    private var deadline: Scheduled<Void>?
    private var isComplete = false
    private var isOver = false

    init(_ start: VoiceStart, _ request: HTTPRequest, crossOrigin: [(name: String, value: String)]) {
        self.start = start
        head = request.head
        isChunked = request.knowsChunks
        self.crossOrigin = crossOrigin
    }

    func handlerAdded(context: ChannelHandlerContext) {
        switch start {
        case .refused(let answer): refuse(answer, context)
        case .talk(let slot, let holder, let seat, let pcmRate):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            intake = VoiceIntake(
                slot, by: holder, seat: seat, pcmRate: pcmRate, source: HTTPConnection.name(of: context.channel),
                on: context.eventLoop
            ) { event in bound.value.0.happened(event, bound.value.1) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let bytes): intake?.take(bytes)
        case .end:
            isComplete = true
            intake?.finish()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    /// A broken chunk, for one: nothing after it can be understood.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ServerShutdown else { return context.fireUserInboundEventTriggered(event) }
        context.close(promise: nil)
    }

    private func stop() {
        intake?.leave()
        intake = nil
        deadline?.cancel()
        deadline = nil
    }

    private func happened(_ event: VoiceIntake.Event, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, !isOver else { return }
        switch event {
        case .opened:
            if head.headers[canonicalForm: "Expect"].contains(where: { $0.lowercased() == "100-continue" }) {
                write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), context)
            }
            write(HTTPAnswer.talk(isChunked: isChunked).serialized(extra: crossOrigin, keepAlive: false), context)
        case .refused(let refusal): refuse(.talkRefused(refusal), context)
        case .ended(let report): end(with: body(report), context)
        }
    }

    private func body(_ report: TalkEndReport) -> ByteBuffer {
        let bytes = ControlCoding.encode(report) + [10]
        var buffer = ByteBuffer()
        if isChunked { buffer.writeString(String(bytes.count, radix: 16) + "\r\n") }
        buffer.writeBytes(bytes)
        if isChunked { buffer.writeString("\r\n0\r\n\r\n") }
        return buffer
    }

    private func refuse(_ answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        end(with: answer.serialized(extra: crossOrigin, keepAlive: false), context)
    }

    /// To close at once, with bytes unread, would throw the answer away on its way.
    private func end(with last: ByteBuffer, _ context: ChannelHandlerContext) {
        isOver = true
        let channel = context.channel
        let isComplete = isComplete
        context.writeAndFlush(wrapOutboundOut(last)).whenComplete { _ in
            channel.close(mode: isComplete ? .all : .output, promise: nil)
        }
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { context.close(promise: nil) }
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
}
