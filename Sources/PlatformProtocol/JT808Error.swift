/// Why a frame or a body cannot be read.
package enum JT808Error: Error, Sendable, Hashable, CustomStringConvertible {
    /// The body ends before the field that is named.
    case truncated(String)
    /// A field holds what its type does not allow.
    case badValue(String)
    case badEscape
    case badChecksum(expected: UInt8, found: UInt8)
    /// The header's length is not the body's.
    case badLength(header: Int, body: Int)
    case tooShort(Int)
    case tooLong(Int)

    package var description: String {
        switch self {
        case .truncated(let field): "the body ends before “\(field)”"
        case .badValue(let field): "“\(field)” has a value that it cannot have"
        case .badEscape: "7d is followed by something else than 01 or 02"
        case .badChecksum(let expected, let found): "the check sum is \(hex(found)), and should be \(hex(expected))"
        case .badLength(let header, let body): "the header says \(header) bytes of body, there are \(body)"
        case .tooShort(let count): "\(count) bytes are no frame"
        case .tooLong(let count): "the frame is longer than \(count) bytes"
        }
    }
}

/// Lower case, two digits a byte.
package func hex(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes { text += hex(byte) }
    return text
}

package func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
}

/// Spaces and colons are passed over. Nil for anything else than pairs of digits.
package func bytes(hex text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
        let digit: UInt8
        switch character {
        case 0x30...0x39: digit = character - 0x30
        case 0x41...0x46: digit = character - 0x37
        case 0x61...0x66: digit = character - 0x57
        case 0x20, 0x3A, 0x0A, 0x0D, 0x09: continue
        default: return nil
        }
        if let first = high {
            bytes.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return high == nil ? bytes : nil
}
