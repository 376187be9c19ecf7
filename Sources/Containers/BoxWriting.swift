import NIOCore

/// Writes boxes (ISO/IEC 14496-12, 4.2).
extension ByteBuffer {
    mutating func writeBox(_ type: BoxType, _ body: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeMultipleIntegers(UInt32(0), type.code)
        body(&self)
        setInteger(UInt32(writerIndex - start), at: start)
    }

    mutating func writeFullBox(
        _ type: BoxType, version: UInt8 = 0, flags: UInt32 = 0, _ body: (inout ByteBuffer) -> Void
    ) {
        writeBox(type) {
            $0.writeInteger(UInt32(version) << 24 | flags)
            body(&$0)
        }
    }

    /// A box of our own.
    mutating func writeBox(_ type: UniqueID, _ body: (inout ByteBuffer) -> Void) {
        writeBox("uuid") {
            $0.writeMultipleIntegers(type.high, type.low)
            body(&$0)
        }
    }

    mutating func writeZeros(_ count: Int) { writeRepeatingByte(0, count: count) }

    /// A table whose count of entries stands in front of it and is known only behind it.
    mutating func writeTable(_ entries: (inout ByteBuffer) -> UInt32) {
        let place = writerIndex
        writeInteger(UInt32(0))
        let count = entries(&self)
        setInteger(count, at: place)
    }

    /// Times are 32 bits long in version 0 of a box and 64 in version 1.
    mutating func writeTime(_ value: Int64, version: UInt8) {
        if version == 0 { writeInteger(UInt32(clamping: value)) } else { writeInteger(value) }
    }
}
