/// Takes a body apart, from front to end. Integers are big-endian.
package struct JT808Reader {
    private var bytes: ArraySlice<UInt8>
    package let version: JT808Version

    package init(_ bytes: some Sequence<UInt8>, version: JT808Version) {
        self.bytes = Array(bytes)[...]
        self.version = version
    }

    package var count: Int { bytes.count }
    package var isAtEnd: Bool { bytes.isEmpty }

    package mutating func bytes(_ count: Int, _ field: String) throws(JT808Error) -> [UInt8] {
        guard count >= 0, bytes.count >= count else { throw .truncated(field) }
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }

    /// All that is left.
    package mutating func rest() -> [UInt8] {
        defer { bytes = [] }
        return Array(bytes)
    }

    package mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
        _ field: String, as type: Value.Type = Value.self
    ) throws(JT808Error) -> Value {
        try bytes(Value.bitWidth / 8, field).reduce(0) { $0 << 8 | Value($1) }
    }

    package mutating func byte(_ field: String) throws(JT808Error) -> UInt8 { try integer(field) }
    package mutating func word(_ field: String) throws(JT808Error) -> UInt16 { try integer(field) }
    package mutating func double(_ field: String) throws(JT808Error) -> UInt32 { try integer(field) }

    package mutating func time(_ field: String) throws(JT808Error) -> JT808Time { JT808Time(raw: try bytes(6, field)) }

    /// Behind its length in one byte.
    package mutating func shortText(_ field: String) throws(JT808Error) -> [UInt8] {
        try bytes(Int(try byte(field)), field)
    }
}

/// Puts a body together.
package struct JT808Writer {
    package private(set) var bytes: [UInt8] = []
    package let version: JT808Version

    package init(version: JT808Version) { self.version = version }

    package mutating func write(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    package mutating func write(_ value: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ time: JT808Time) { bytes.append(contentsOf: time.raw) }

    /// Behind its length in one byte; what does not fit is left out.
    package mutating func writeShort(_ text: [UInt8]) {
        bytes.append(UInt8(min(text.count, 255)))
        bytes.append(contentsOf: text.prefix(255))
    }
}
