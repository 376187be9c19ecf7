import Media
import NIOCore

/// One FLV tag without its time ("Adobe Flash Video File Format" 10.1, annex E.4.1): the part of it that every
/// subscriber shares, serialised once.
package struct FLVTag: Sendable {
    package enum Kind: UInt8, Sendable {
        case audio = 8
        case video = 9
        case script = 18
    }

    package let kind: Kind
    /// The tag's body and behind it PreviousTagSize, ready for the wire.
    package let bodyAndTrailer: ByteBuffer

    /// Bytes of a tag's header and of PreviousTagSize.
    package static let headerLength = 11
    package static let trailerLength = 4
    /// The body length is a 24-bit field.
    package static let maximumBodyLength = 0xFF_FFFF

    /// The body alone: what an RTMP message carries.
    package var body: ByteBuffer {
        var body = bodyAndTrailer
        body.moveWriterIndex(to: body.writerIndex - Self.trailerLength)
        return body
    }

    package var bodyLength: Int { bodyAndTrailer.readableBytes - Self.trailerLength }

    /// Takes a body; appends the trailer, in place where the buffer has room and no other owner.
    package init(kind: Kind, body: consuming ByteBuffer) {
        self.kind = kind
        body.writeInteger(UInt32(Self.headerLength + body.readableBytes))
        bodyAndTrailer = body
    }

    /// Wraps an encoded frame. Its header goes into the headroom that the encoder left, so nothing is copied as long
    /// as nobody else holds the frame's buffer.
    package init(_ frame: consuming EncodedFrame) {
        let kind = frame.kind
        let isKey = frame.isKey
        var body = frame.takeData()
        switch kind {
        case .video:
            // AVC, a picture, composition offset 0: there are no B-frames.
            let frameAndCodec: UInt8 = isKey ? 0x17 : 0x27
            Self.prepend([frameAndCodec, 1, 0, 0, 0], to: &body)
            self.init(kind: .video, body: body)
        case .audio:
            Self.prepend([Self.aac, 1], to: &body)
            self.init(kind: .audio, body: body)
        }
    }

    /// AAC; "44 kHz, 16 bit, stereo" whatever the real ones are (E.4.2.1).
    private static let aac: UInt8 = 0xAF

    private static func prepend(_ header: [UInt8], to body: inout ByteBuffer) {
        let start = body.readerIndex - header.count
        guard start >= 0 else {
            var copy = ByteBuffer()
            copy.reserveCapacity(header.count + body.readableBytes + trailerLength)
            copy.writeBytes(header)
            copy.writeBuffer(&body)
            body = copy
            return
        }
        body.setBytes(header, at: start)
        body.moveReaderIndex(to: start)
    }

    /// The AVC sequence header. Nil where the parameter sets cannot be read.
    package static func sequenceHeader(_ format: VideoFormat) -> FLVTag? {
        guard let record = AVCDecoderConfiguration.bytes(for: format) else { return nil }
        return FLVTag(kind: .video, body: ByteBuffer(bytes: [0x17, 0, 0, 0, 0] + record))
    }

    /// The AAC sequence header. Nil for a rate or channel count that AAC-LC has no index for.
    package static func sequenceHeader(_ format: AudioFormat) -> FLVTag? {
        guard let config = AudioSpecificConfig(rate: format.rate, channels: format.channels) else { return nil }
        return FLVTag(kind: .audio, body: ByteBuffer(bytes: [aac, 0] + config.bytes))
    }

    /// `onMetaData` for a live stream, with what players expect and nothing that is not known.
    package static func metadata(_ format: StreamFormat, encoder: String) -> FLVTag {
        var body = ByteBuffer()
        AMF0.string("onMetaData").write(to: &body)
        AMF0.ecmaArray(metadataPairs(format, encoder: encoder)).write(to: &body)
        return FLVTag(kind: .script, body: body)
    }

    package static func metadataPairs(_ format: StreamFormat, encoder: String) -> [AMF0.Pair] {
        var pairs: [AMF0.Pair] = [
            .init("duration", .number(0)),
            .init("hasVideo", .boolean(format.video != nil)),
            .init("hasAudio", .boolean(format.audio != nil)),
        ]
        if let video = format.video {
            pairs += [
                .init("width", .number(Double(video.size.width))), .init("height", .number(Double(video.size.height))),
                .init("videocodecid", .number(7)), .init("framerate", .number(video.frameRate)),
            ]
            if video.bitrate > 0 { pairs.append(.init("videodatarate", .number(Double(video.bitrate) / 1000))) }
        }
        if let audio = format.audio {
            pairs += [
                .init("audiocodecid", .number(10)), .init("audiosamplerate", .number(Double(audio.rate))),
                .init("audiosamplesize", .number(16)), .init("stereo", .boolean(audio.channels == 2)),
                .init("audiochannels", .number(Double(audio.channels))),
                .init("audiodatarate", .number(Double(audio.bitrate) / 1000)),
            ]
        }
        pairs.append(.init("encoder", .string(encoder)))
        return pairs
    }
}

extension EncodedFrame {
    /// Moves the buffer out, so that it has a single owner and can be written to in place.
    fileprivate consuming func takeData() -> ByteBuffer { data }
}
