import Media
import NIOCore

/// Lays out the bytes around FLV tags ("Adobe Flash Video File Format" 10.1, annex E.2 to E.4).
package enum FLVWriter {
    /// File header and the first PreviousTagSize.
    package static func header(hasVideo: Bool, hasAudio: Bool) -> ByteBuffer {
        ByteBuffer(bytes: [
            0x46, 0x4C, 0x56, 1, (hasVideo ? 1 : 0) | (hasAudio ? 4 : 0), 0, 0, 0, 9, 0, 0, 0, 0,
        ])
    }

    /// The eleven bytes in front of a tag's body. `timestamp` is in milliseconds; its high byte comes last.
    package static func writeTagHeader(
        kind: FLVTag.Kind, bodyLength: Int, timestamp: UInt32, to buffer: inout ByteBuffer
    ) {
        buffer.writeMultipleIntegers(
            UInt32(kind.rawValue) << 24 | UInt32(bodyLength & 0xFF_FFFF), timestamp << 8 | timestamp >> 24, UInt16(0),
            UInt8(0))
    }

    /// A whole tag, for files and tests; viewers get header and shared body as two buffers.
    package static func write(_ tag: FLVTag, timestamp: UInt32, to buffer: inout ByteBuffer) {
        writeTagHeader(kind: tag.kind, bodyLength: tag.bodyLength, timestamp: timestamp, to: &buffer)
        buffer.writeImmutableBuffer(tag.bodyAndTrailer)
    }
}
