import Media
import NIOCore

/// Reads an FLV byte stream piece by piece: bytes in, tags out. No I/O.
///
/// Tolerant where senders are known to be careless (wrong PreviousTagSize is counted, unknown tag types are skipped),
/// strict where memory or sense is at stake.
package struct FLVReader: Sendable {
    package struct Tag: Sendable {
        package let kind: FLVTag.Kind
        /// Milliseconds.
        package let timestamp: UInt32
        package let body: ByteBuffer
    }

    package enum ParseError: Error, Equatable {
        case notFLV
        case unsupportedVersion(UInt8)
        case badHeaderLength(UInt32)
        case tagTooLong(Int)
    }

    /// Longer tags are refused: 8 MiB.
    package let maximumBodyLength: Int
    package private(set) var hasVideo = false
    package private(set) var hasAudio = false
    package private(set) var wrongTrailers = 0
    package private(set) var skippedTags = 0

    private enum State {
        case header
        case skipping(Int)
        case tag
    }
    private var state = State.header
    private var buffer = ByteBuffer()

    package init(maximumBodyLength: Int = 8 << 20) { self.maximumBodyLength = maximumBodyLength }

    /// Bytes held back because a tag is not whole yet; never more than one tag and one piece.
    package var bufferedBytes: Int { buffer.readableBytes }

    package mutating func feed(_ bytes: ByteBuffer) {
        buffer.writeImmutableBuffer(bytes)
        if buffer.readerIndex > 1 << 16 { buffer.discardReadBytes() }
    }

    /// The next whole tag, or nil until more is fed.
    package mutating func next() throws(ParseError) -> Tag? {
        while true {
            switch state {
            case .header:
                guard try readHeader() else { return nil }
            case .skipping(let count):
                let step = min(count, buffer.readableBytes)
                buffer.moveReaderIndex(forwardBy: step)
                state = step == count ? .tag : .skipping(count - step)
                if step < count { return nil }
            case .tag:
                guard let length = peekLength(), buffer.readableBytes >= FLVTag.headerLength else { return nil }
                guard length <= maximumBodyLength else { throw .tagTooLong(length) }
                guard buffer.readableBytes >= FLVTag.headerLength + length + FLVTag.trailerLength else { return nil }
                if let tag = readTag(length: length) { return tag }
            }
        }
    }

    private mutating func readHeader() throws(ParseError) -> Bool {
        let start = buffer.readerIndex
        for (offset, byte) in [UInt8]([0x46, 0x4C, 0x56]).enumerated() {
            guard let seen: UInt8 = buffer.getInteger(at: start + offset) else { return false }
            guard seen == byte else { throw .notFLV }
        }
        guard buffer.readableBytes >= 9, let version: UInt8 = buffer.getInteger(at: start + 3),
            let flags: UInt8 = buffer.getInteger(at: start + 4), let length: UInt32 = buffer.getInteger(at: start + 5)
        else { return false }
        guard version == 1 else { throw .unsupportedVersion(version) }
        guard (9...1024).contains(length) else { throw .badHeaderLength(length) }
        hasVideo = flags & 1 != 0
        hasAudio = flags & 4 != 0
        state = .skipping(Int(length) + FLVTag.trailerLength)
        return true
    }

    private func peekLength() -> Int? {
        buffer.getInteger(at: buffer.readerIndex, as: UInt32.self).map { Int($0 & 0xFF_FFFF) }
    }

    /// Nil for a tag of unknown type, which is thrown away.
    private mutating func readTag(length: Int) -> Tag? {
        guard let head: UInt64 = buffer.readInteger(), (buffer.readInteger() as UInt16?) != nil,
            (buffer.readInteger() as UInt8?) != nil, let body = buffer.readSlice(length: length),
            let trailer: UInt32 = buffer.readInteger()
        else { return nil }
        if trailer != UInt32(FLVTag.headerLength + length) { wrongTrailers += 1 }
        // The upper three bits of the type are reserved and, in encrypted files, a filter flag.
        guard let kind = FLVTag.Kind(rawValue: UInt8(head >> 56)) else {
            skippedTags += 1
            return nil
        }
        let time = UInt32(truncatingIfNeeded: head)
        return Tag(kind: kind, timestamp: time >> 8 | time << 24, body: body)
    }
}
