import NIOCore

/// A box in memory: its type and what is in it.
struct Box {
    let type: BoxType
    var body: ByteBuffer
}

/// Reads boxes (ISO/IEC 14496-12, 4.2) and their fields; whatever breaks off is an error.
extension ByteBuffer {
    /// Children that one box may have.
    private static var maximumChildren: Int { 64 }

    mutating func take<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(MP4Reader.Failure) -> T {
        guard let value: T = readInteger() else { throw .malformed("a box that is too short") }
        return value
    }

    mutating func take(_ length: Int) throws(MP4Reader.Failure) -> ByteBuffer {
        guard let slice = readSlice(length: length) else { throw .malformed("a box that is too short") }
        return slice
    }

    mutating func skip(_ count: Int) throws(MP4Reader.Failure) {
        guard count <= readableBytes else { throw .malformed("a box that is too short") }
        moveReaderIndex(forwardBy: count)
    }

    /// Version and flags.
    mutating func takeFullBoxHeader() throws(MP4Reader.Failure) -> (version: UInt8, flags: UInt32) {
        let word: UInt32 = try take()
        return (UInt8(word >> 24), word & 0xFF_FFFF)
    }

    /// A time field, as long as the version says.
    mutating func takeTime(version: UInt8) throws(MP4Reader.Failure) -> Int64 {
        if version == 0 { return Int64(try take(UInt32.self)) }
        let value: UInt64 = try take()
        guard let value = Int64(exactly: value) else { throw .malformed("a time beyond all bounds") }
        return value
    }

    /// The boxes that follow each other up to the end.
    func children() throws(MP4Reader.Failure) -> [Box] {
        var rest = self
        var boxes: [Box] = []
        while rest.readableBytes > 0 {
            guard boxes.count < Self.maximumChildren else { throw .tooLarge("boxes in a box") }
            let size: UInt32 = try rest.take()
            let type = BoxType(code: try rest.take())
            guard size >= 8 else { throw .unsupported("a box inside another with the size \(size)") }
            boxes.append(Box(type: type, body: try rest.take(Int(size) - 8)))
        }
        return boxes
    }
}

extension [Box] {
    func first(_ type: BoxType) -> ByteBuffer? { first { $0.type == type }?.body }

    func required(_ type: BoxType, _ name: StaticString) throws(MP4Reader.Failure) -> ByteBuffer {
        guard let body = first(type) else { throw .malformed("no \(name) box") }
        return body
    }
}
