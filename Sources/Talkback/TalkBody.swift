import Containers
import Media
import NIOCore

/// Understands what a viewer sends to be heard (p2p-signalling, 5.2 and 5.3): raw PCM, or AAC in FLV where the body
/// begins with "FLV". Bytes in, in any split, pieces of sound out; no I/O.
package struct TalkBody: Sendable {
    package enum ParseError: Error, Equatable, CustomStringConvertible {
        /// Looks like FLV and is none.
        case flv(FLVReader.ParseError)

        package var description: String {
            switch self {
            case .flv(let error): "not FLV: \(error)"
            }
        }
    }

    /// Longer FLV tags are refused, 1 MiB: a picture of a call with video is the longest there can be.
    package static let maximumTagBytes = 1 << 20
    /// Longer AAC frames are skipped: 6144 bits a channel (ISO/IEC 14496-3, 4.5.1.1), with room to spare.
    package static let maximumFrameBytes = 4096
    /// Some viewers mark everything shorter than this as configuration, silent frames too.
    package static let shortPayload = 10
    /// What AAC is taken for before its configuration came.
    package static let assumedRate = 16000

    private enum Form {
        case unknown(ByteBuffer)
        /// With the first half of a sample whose second one has not come.
        case pcm(UInt8?)
        case flv(FLVReader)
        case broken
    }

    /// Samples a second of raw PCM, which the body does not tell.
    package let pcmRate: Int
    /// Tags without sound, of other codecs, or too long, that were let go.
    package private(set) var skippedTags = 0
    private var form = Form.unknown(ByteBuffer())
    private var configuration: AudioSpecificConfig?

    package init(pcmRate: Int) { self.pcmRate = pcmRate }

    /// Nil until it is clear.
    package var isFLV: Bool? {
        switch form {
        case .unknown: nil
        case .pcm: false
        case .flv, .broken: true
        }
    }

    /// After an error nothing more is understood.
    package mutating func take(_ bytes: ByteBuffer) throws(ParseError) -> [TalkPiece] {
        switch form {
        case .unknown(var start):
            start.writeImmutableBuffer(bytes)
            guard let isFLV = Self.looksLikeFLV(start) else {
                form = .unknown(start)
                return []
            }
            form = isFLV ? .flv(FLVReader(maximumBodyLength: Self.maximumTagBytes)) : .pcm(nil)
            return try take(start)
        case .pcm(let half): return pcm(bytes, half)
        case .flv(var reader):
            // Let go of, so that the reader's buffer is appended to in place.
            form = .broken
            var pieces: [TalkPiece] = []
            do throws(FLVReader.ParseError) {
                reader.feed(bytes)
                while let tag = try reader.next() { sound(of: tag, into: &pieces) }
            } catch {
                throw .flv(error)
            }
            form = .flv(reader)
            return pieces
        case .broken: return []
        }
    }

    /// Nil where that cannot be told yet.
    private static func looksLikeFLV(_ start: ByteBuffer) -> Bool? {
        let signature: [UInt8] = [0x46, 0x4C, 0x56]
        guard start.readableBytesView.prefix(3).elementsEqual(signature.prefix(start.readableBytes)) else {
            return false
        }
        return start.readableBytes >= signature.count ? true : nil
    }

    // MARK: PCM

    private mutating func pcm(_ bytes: ByteBuffer, _ half: UInt8?) -> [TalkPiece] {
        var bytes = bytes
        var samples: [Int16] = []
        samples.reserveCapacity(bytes.readableBytes / 2 + 1)
        if let half {
            guard let other: UInt8 = bytes.readInteger() else { return [] }
            samples.append(Int16(bitPattern: UInt16(other) << 8 | UInt16(half)))
        }
        let count = bytes.readableBytes / 2
        bytes.withUnsafeReadableBytes { raw in
            for index in 0..<count {
                samples.append(Int16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * index, as: Int16.self)))
            }
        }
        bytes.moveReaderIndex(forwardBy: 2 * count)
        form = .pcm(bytes.readInteger())
        return samples.isEmpty ? [] : [.samples(samples, rate: pcmRate)]
    }

    // MARK: FLV

    private mutating func sound(of tag: FLVReader.Tag, into pieces: inout [TalkPiece]) {
        guard tag.kind == .audio, let payload = FLVPayload(tag) else {
            skippedTags += 1
            return
        }
        switch payload {
        case .aacSequenceHeader(let bytes):
            if !configure(bytes, into: &pieces) { frame(ByteBuffer(bytes: bytes), tag, into: &pieces) }
        case .aac(let data):
            guard data.readableBytes < Self.shortPayload, configure(data.readableBytesView, into: &pieces) else {
                return frame(data, tag, into: &pieces)
            }
        default: skippedTags += 1
        }
    }

    /// False where these bytes are no configuration; short frames are marked as one.
    private mutating func configure(_ bytes: some Collection<UInt8>, into pieces: inout [TalkPiece]) -> Bool {
        guard let new = AudioSpecificConfig(bytes: bytes), (8000...96000).contains(new.rate) else { return false }
        if new != configuration {
            configuration = new
            pieces.append(.configuration(new))
        }
        return true
    }

    private mutating func frame(_ data: ByteBuffer, _ tag: FLVReader.Tag, into pieces: inout [TalkPiece]) {
        guard (1...Self.maximumFrameBytes).contains(data.readableBytes) else {
            skippedTags += 1
            return
        }
        if configuration == nil, let assumed = AudioSpecificConfig(rate: Self.assumedRate, channels: 1) {
            configuration = assumed
            pieces.append(.configuration(assumed))
        }
        // A copy of its own, so that one frame does not keep a whole read alive.
        pieces.append(.frame(ByteBuffer(bytes: data.readableBytesView), time: tag.timestamp))
    }
}
