import Codecs
import Containers
import Media
import NIOCore
import PlatformProtocol
import Streaming

/// A JT/T 1078 media connection, over TCP or UDP: packets out, and those that a platform sends back for the speaker.
///
/// There is no answer to wait for: what a platform does not want it closes.
final class JT1078Push: PushTransport, ChannelInboundHandler, FrameSink {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What a feed sends beside is left out.
    var tracks = TrackSelection.all
    private let isDatagram: Bool
    private let onPacket: PushAttachment.PacketHandler?
    private var packetizer: JT1078Packetizer
    private var timeline = JT1078Clock()
    private var reader: JT1078Reader
    private var sound: any JT1078Sound
    private var headers: StreamHeaders?
    private var hasBegun = false

    init(
        target: PushTarget, stream: JT1078Stream, onPacket: PushAttachment.PacketHandler?,
        settings: PublishingSettings, clock: any MediaClock
    ) {
        isDatagram = target.scheme == .jt1078UDP
        self.onPacket = onPacket
        packetizer = JT1078Packetizer(stream)
        reader = JT1078Reader(simLength: stream.simLength)
        sound =
            switch stream.audio {
            case .aac: ADTSSound()
            case .g711a: ALawSound()
            }
        super.init(target: target, settings: settings, clock: clock)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        attach(context)
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { detach() }

    func channelActive(context: ChannelHandlerContext) { begin() }

    /// Always read, so that the end is noticed and nothing piles up.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let onPacket, !isFinished else { return }
        for packet in reader.feed(bytes.readableBytesView) { onPacket(packet) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { delegate?.transportBecameWritable() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let failure = endingFailure(error) { fail(failure) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(endingFailure() ?? LinkFailure(.service, "\(target.redacted) closed the connection"))
        delegate?.transportClosed()
    }

    private func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        delegate?.transportAccepted()
    }

    /// What is queued still goes; then the end of our side.
    func farewell() {
        guard beginFarewell(), let context else { return }
        guard !isDatagram else {
            context.close(promise: nil)
            return
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in bound.value.context?.close(mode: .output, promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    // MARK: FrameSink

    func send(headers: StreamHeaders, timestamp: UInt32) {
        self.headers = headers
        if let audio = headers.format.audio { sound.setFormat(audio) }
    }

    /// The time stamp is not the subscription's, which begins anew with each switch of streams.
    func send(frame: StreamFrame, timestamp: UInt32) {
        guard !isFinished, let headers, tracks.includes(frame.kind) else { return }
        let time = timeline.stamp(frame.kind, frame.time)
        switch frame.kind {
        case .video:
            var packets = ByteBuffer()
            packetizer.writeVideo(
                frame.data, key: frame.isKey ? headers.format.video : nil, time: time, to: &packets)
            write(packets, completesFirstFrame: isFirstFrame(frame))
        case .audio:
            // Not each frame makes a packet.
            sound.encode(frame.data) { data, payloadType, offset in
                var packets = ByteBuffer()
                packetizer.writeAudio(
                    data, payloadType: payloadType, time: UInt64(max(Int64(time) + offset, 0)), to: &packets)
                write(packets, completesFirstFrame: isFirstFrame(frame))
            }
        }
    }

    /// A packet of silence.
    func greet() {
        var packets = ByteBuffer()
        let silence = ByteBuffer(repeating: ALaw.encode(0), count: ALawSound.samplesPerPacket)
        packetizer.writeAudio(silence, payloadType: JT1078Header.Codec.g711A, time: 0, to: &packets)
        write(packets, completesFirstFrame: true)
        flush()
    }

    private func write(_ packets: ByteBuffer, completesFirstFrame: Bool) {
        guard packets.readableBytes > 0 else { return }
        guard isDatagram else {
            writeMetered(
                wrapOutboundOut(packets), bytes: packets.readableBytes, completesFirstFrame: completesFirstFrame)
            return
        }
        var left = packets
        // All packets of a frame but the last have the same length.
        let length = packetizer.videoHeaderLength + JT1078Header.maximumData
        while let packet = left.readSlice(length: min(length, left.readableBytes)), packet.readableBytes > 0 {
            writeMetered(
                wrapOutboundOut(packet), bytes: packet.readableBytes,
                completesFirstFrame: completesFirstFrame && left.readableBytes == 0)
        }
    }
}

/// Gives datagrams to a handler that wants bytes.
final class DatagramBytes: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }
}
