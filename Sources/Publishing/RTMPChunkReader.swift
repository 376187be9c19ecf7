import NIOCore

/// Puts messages together again from chunks ("RTMP 1.0", 5.3.1): bytes in, messages out. No I/O.
///
/// Obeys "set chunk size" and "abort" by itself, and hands them out too.
package struct RTMPChunkReader: Sendable {
    package struct Limits: Sendable {
        package var messageLength = 8 << 20
        package var chunkStreams = 64
        /// Bytes of all messages that are not whole yet.
        package var unfinishedBytes = 16 << 20

        package init() {}
    }

    package enum ParseError: Error, Hashable {
        case messageTooLong(Int)
        case tooManyChunkStreams
        case tooManyUnfinishedBytes
        case badChunkSize(UInt32)
        /// A chunk without a whole header on a chunk stream that had none before.
        case headerMissing(chunkStream: UInt32)
        /// A new message on a chunk stream before the last one there was whole.
        case messageInterrupted(chunkStream: UInt32)
    }

    package static let defaultChunkSize = 128
    package static let maximumChunkSize = 0xFF_FFFF

    package let limits: Limits
    package private(set) var chunkSize = defaultChunkSize
    /// Bytes held of messages that are not whole yet.
    package private(set) var unfinishedBytes = 0
    /// Bytes held because a chunk's header or payload is not whole yet.
    package var bufferedBytes: Int { buffer.readableBytes }

    /// What the next chunk on a chunk stream refers to.
    private struct Header: Sendable {
        var timestamp: UInt32 = 0
        var delta: UInt32 = 0
        /// The extended field of the last header, where it had one; continuations repeat it.
        var extended: UInt32?
        var length = 0
        var kind: UInt8 = 0
        var streamID: UInt32 = 0
    }

    private struct Stream: Sendable {
        let id: UInt32
        var header = Header()
        var payload = ByteBuffer()
        var isUnfinished = false
    }

    private struct Chunk {
        /// Present when this chunk completed one.
        var message: RTMPMessage?
    }

    private var streams: [Stream] = []
    private var buffer = ByteBuffer()

    package init(limits: Limits = Limits()) { self.limits = limits }

    package mutating func feed(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            if buffer.readerIndex > 1 << 16 { buffer.discardReadBytes() }
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next whole message, or nil until more is fed. After an error the reader is of no use any more.
    package mutating func next() throws(ParseError) -> RTMPMessage? {
        while let chunk = try readChunk() {
            guard let message = chunk.message else { continue }
            try obey(message)
            return message
        }
        return nil
    }

    /// Nil where the chunk is not whole yet; then nothing has changed, and its header is read again later.
    private mutating func readChunk() throws(ParseError) -> Chunk? {
        var cursor = buffer
        guard let (format, id) = Self.readBasicHeader(&cursor) else { return nil }
        let index = streams.firstIndex { $0.id == id }
        // Without a header of its own a chunk must have one to refer to.
        if index == nil, format >= 2 { throw .headerMissing(chunkStream: id) }
        let isContinuation = index.map { streams[$0].isUnfinished } ?? false
        if isContinuation, format != 3 { throw .messageInterrupted(chunkStream: id) }
        let last = index.map { streams[$0].header } ?? Header()
        guard
            let header = Self.readMessageHeader(
                format: format, after: last, isContinuation: isContinuation, &cursor)
        else { return nil }
        guard header.length <= limits.messageLength else { throw .messageTooLong(header.length) }

        let received = index.map { streams[$0].payload.readableBytes } ?? 0
        let part = min(chunkSize, header.length - received)
        guard let slice = cursor.readSlice(length: part) else { return nil }
        buffer = cursor

        let stream: Int
        if let index {
            stream = index
        } else {
            guard streams.count < limits.chunkStreams else { throw .tooManyChunkStreams }
            stream = streams.count
            streams.append(Stream(id: id))
        }
        streams[stream].header = header
        if received + part == header.length {
            var payload = slice
            if received > 0 {
                streams[stream].payload.writeImmutableBuffer(slice)
                payload = streams[stream].payload
                unfinishedBytes -= received
            }
            streams[stream].payload = ByteBuffer()
            streams[stream].isUnfinished = false
            return Chunk(
                message: RTMPMessage(
                    kind: header.kind, streamID: header.streamID, timestamp: header.timestamp, payload: payload))
        }
        unfinishedBytes += part
        guard unfinishedBytes <= limits.unfinishedBytes else { throw .tooManyUnfinishedBytes }
        streams[stream].payload.writeImmutableBuffer(slice)
        streams[stream].isUnfinished = true
        return Chunk()
    }

    /// Format and chunk stream id (5.3.1.1).
    private static func readBasicHeader(_ cursor: inout ByteBuffer) -> (format: UInt8, id: UInt32)? {
        guard let first: UInt8 = cursor.readInteger() else { return nil }
        switch first & 63 {
        case 0:
            guard let low: UInt8 = cursor.readInteger() else { return nil }
            return (first >> 6, 64 + UInt32(low))
        case 1:
            guard let both: UInt16 = cursor.readInteger(endianness: .little) else { return nil }
            return (first >> 6, 64 + UInt32(both))
        case let id:
            return (first >> 6, UInt32(id))
        }
    }

    /// 5.3.1.2 and 5.3.1.3. Nil where the header is not whole yet.
    private static func readMessageHeader(
        format: UInt8, after last: Header, isContinuation: Bool, _ cursor: inout ByteBuffer
    ) -> Header? {
        var header = last
        guard format < 3 else {
            guard let extended = last.extended else {
                if !isContinuation { header.timestamp = last.timestamp &+ last.delta }
                return header
            }
            // Some peers leave the extended field out here: what differs from the expected value is payload.
            var expected = ByteBuffer()
            expected.writeInteger(extended)
            let seen = cursor.readableBytesView.prefix(4)
            if seen.elementsEqual(expected.readableBytesView.prefix(seen.count)) {
                guard seen.count == 4 else { return nil }
                cursor.moveReaderIndex(forwardBy: 4)
            }
            if !isContinuation { header.timestamp = last.timestamp &+ last.delta }
            return header
        }
        guard let field = readUInt24(&cursor) else { return nil }
        if format < 2 {
            guard let length = readUInt24(&cursor), let kind: UInt8 = cursor.readInteger() else { return nil }
            header.length = Int(length)
            header.kind = kind
        }
        if format == 0 {
            // The one little-endian number of the protocol.
            guard let streamID: UInt32 = cursor.readInteger(endianness: .little) else { return nil }
            header.streamID = streamID
        }
        header.extended = nil
        var time = field
        if field == 0xFF_FFFF {
            guard let extended: UInt32 = cursor.readInteger() else { return nil }
            header.extended = extended
            time = extended
        }
        // After format 0, a format 3 that starts a message adds the time stamp itself again (5.3.1.2.4).
        header.delta = time
        header.timestamp = format == 0 ? time : last.timestamp &+ time
        return header
    }

    private static func readUInt24(_ cursor: inout ByteBuffer) -> UInt32? {
        guard let high: UInt16 = cursor.readInteger(), let low: UInt8 = cursor.readInteger() else { return nil }
        return UInt32(high) << 8 | UInt32(low)
    }

    private mutating func obey(_ message: RTMPMessage) throws(ParseError) {
        guard let value = message.payload.getInteger(at: message.payload.readerIndex, as: UInt32.self) else { return }
        switch message.kind {
        case RTMPMessage.Kind.setChunkSize:
            guard value > 0, value < 1 << 31 else { throw .badChunkSize(value) }
            // More than a message can have has no other effect than the most that a message can have.
            chunkSize = min(Int(value), Self.maximumChunkSize)
        case RTMPMessage.Kind.abort:
            guard let index = streams.firstIndex(where: { $0.id == value }), streams[index].isUnfinished else { return }
            unfinishedBytes -= streams[index].payload.readableBytes
            streams[index].payload = ByteBuffer()
            streams[index].isUnfinished = false
        default: break
        }
    }
}
