import NIOCore

/// Cuts messages into chunks ("RTMP 1.0", 5.3.1). Format 0 for the first message of a chunk stream and after any
/// anomaly, format 1 for the rest, format 3 for continuations only.
///
/// Bodies are never copied: what goes out is small header buffers and slices of the body in turn.
package struct RTMPChunkWriter: Sendable {
    private struct Last: Sendable {
        var timestamp: UInt32
        var streamID: UInt32
    }

    package private(set) var chunkSize = RTMPChunkReader.defaultChunkSize
    /// Chunk streams 2 to 63, which have basic headers of one byte.
    private var last: [Last?] = Array(repeating: nil, count: 64)

    package init() {}

    /// For everything that is written from now on; the peer must have been told.
    package mutating func setChunkSize(_ size: Int) {
        chunkSize = min(max(size, 1), RTMPChunkReader.maximumChunkSize)
    }

    /// Calls `emit` with the parts of `message` in order. `chunkStream` is 2 to 63.
    package mutating func write(_ message: RTMPMessage, on chunkStream: UInt32, emit: (ByteBuffer) -> Void) {
        let chunkStream = min(max(chunkStream, 2), 63)
        var body = message.payload
        let length = body.readableBytes
        let continuations = length > chunkSize ? (length - 1) / chunkSize : 0

        var headers = ByteBufferAllocator().buffer(capacity: 16 + 5 * continuations)
        let extended = writeFirstHeader(message, length: length, on: chunkStream, to: &headers)
        if let first = headers.readSlice(length: headers.readableBytes) { emit(first) }
        if let part = body.readSlice(length: min(chunkSize, length)), length > 0 { emit(part) }
        while body.readableBytes > 0 {
            headers.writeInteger(0xC0 | UInt8(chunkStream))
            // Repeated in every chunk of the message (5.3.1.3); leaving it out breaks streams after 4 h 39 min.
            if let extended { headers.writeInteger(extended) }
            if let next = headers.readSlice(length: headers.readableBytes) { emit(next) }
            if let part = body.readSlice(length: min(chunkSize, body.readableBytes)) { emit(part) }
        }
    }

    /// Returns the extended time stamp where there is one.
    private mutating func writeFirstHeader(
        _ message: RTMPMessage, length: Int, on chunkStream: UInt32, to headers: inout ByteBuffer
    ) -> UInt32? {
        let previous = last[Int(chunkStream)]
        last[Int(chunkStream)] = Last(timestamp: message.timestamp, streamID: message.streamID)
        var time = message.timestamp
        var format: UInt8 = 0
        if let previous, previous.streamID == message.streamID, message.timestamp >= previous.timestamp,
            message.timestamp - previous.timestamp < 0xFF_FFFF
        {
            format = 1
            time = message.timestamp - previous.timestamp
        }
        let extended = time >= 0xFF_FFFF ? time : nil
        headers.writeInteger(format << 6 | UInt8(chunkStream))
        Self.writeUInt24(min(time, 0xFF_FFFF), to: &headers)
        Self.writeUInt24(UInt32(length), to: &headers)
        headers.writeInteger(message.kind)
        if format == 0 { headers.writeInteger(message.streamID, endianness: .little) }
        if let extended { headers.writeInteger(extended) }
        return extended
    }

    private static func writeUInt24(_ value: UInt32, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt16(truncatingIfNeeded: value >> 8))
        buffer.writeInteger(UInt8(truncatingIfNeeded: value))
    }
}
