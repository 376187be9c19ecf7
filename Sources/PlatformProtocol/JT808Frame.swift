/// A header and its body, as they travel: check sum, escapes, delimiters.
package struct JT808Frame: Sendable, Hashable {
    package var header: JT808Header
    /// At most `JT808Header.maximumBody` bytes.
    package var body: [UInt8]

    package static let delimiter: UInt8 = 0x7E
    private static let escape: UInt8 = 0x7D
    /// A header without a body, and the check sum.
    private static let minimumContent = 13

    package init(header: JT808Header, body: [UInt8]) {
        self.header = header
        self.body = body
    }

    /// With both delimiters.
    package var bytes: [UInt8] {
        var writer = JT808Writer(version: header.version)
        header.write(bodyLength: body.count, to: &writer)
        writer.write(body)
        writer.write(Self.checksum(writer.bytes))
        return Self.wrapped(writer.bytes)
    }

    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, ^) }

    /// Escapes and delimits.
    package static func wrapped(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [delimiter]
        bytes.reserveCapacity(content.count + content.count / 16 + 8)
        for byte in content {
            switch byte {
            case delimiter: bytes += [escape, 2]
            case escape: bytes += [escape, 1]
            default: bytes.append(byte)
            }
        }
        bytes.append(delimiter)
        return bytes
    }

    /// - Parameter escaped: what stood between two delimiters.
    package static func unescaped(_ escaped: some Sequence<UInt8>) throws(JT808Error) -> [UInt8] {
        var content: [UInt8] = []
        var isEscaped = false
        for byte in escaped {
            if isEscaped {
                guard byte == 1 || byte == 2 else { throw .badEscape }
                content.append(byte == 2 ? delimiter : escape)
                isEscaped = false
            } else if byte == escape {
                isEscaped = true
            } else {
                content.append(byte)
            }
        }
        guard !isEscaped else { throw .badEscape }
        return content
    }

    /// - Parameter escaped: what stood between two delimiters.
    package init(escaped: some Sequence<UInt8>) throws(JT808Error) {
        let content = try Self.unescaped(escaped)
        guard content.count >= Self.minimumContent, let sum = content.last else { throw .tooShort(content.count) }
        let expected = Self.checksum(content.dropLast())
        guard sum == expected else { throw .badChecksum(expected: expected, found: sum) }
        let (header, length, body) = try JT808Header.read(content.dropLast())
        guard body.count == length else { throw .badLength(header: length, body: body.count) }
        self.header = header
        self.body = body
    }

    /// A whole frame with its delimiters, as in logs and test data.
    package init(bytes: [UInt8]) throws(JT808Error) {
        guard bytes.count >= 2, bytes.first == Self.delimiter, bytes.last == Self.delimiter else {
            throw .tooShort(bytes.count)
        }
        try self.init(escaped: bytes.dropFirst().dropLast())
    }
}
