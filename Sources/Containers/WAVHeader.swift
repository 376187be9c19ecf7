/// The header of a RIFF WAVE file with 16-bit PCM ("Multimedia Programming Interface and Data Specifications 1.0").
package struct WAVHeader: Sendable, Hashable {
    package let rate: Int
    package let channels: Int
    /// Where the samples begin in the file, and how many bytes of them it announces.
    package let dataOffset: Int
    package let dataLength: Int

    /// The samples must begin within this many bytes.
    package static let maximumLength = 64 << 10

    package enum ParseError: Error, Equatable {
        case notWAV
        case truncated
        case unsupported(String)
    }

    package init(bytes: [UInt8]) throws(ParseError) {
        guard bytes.count >= 12, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8)
        else { throw .notWAV }
        var index = 12
        var format: (rate: Int, channels: Int)?
        while index + 8 <= bytes.count {
            let length = Self.little(bytes, index + 4, 4)
            let body = index + 8
            if bytes[index..<index + 4].elementsEqual("fmt ".utf8) {
                guard length >= 16, body + 16 <= bytes.count else { throw .truncated }
                let code = Self.little(bytes, body, 2)
                let bits = Self.little(bytes, body + 14, 2)
                // 0xFFFE is "extensible": the same 16-bit PCM with a longer description.
                guard code == 1 || code == 0xFFFE, bits == 16 else {
                    throw .unsupported("format \(code) with \(bits) bits; 16-bit PCM is needed")
                }
                format = (Self.little(bytes, body + 4, 4), Self.little(bytes, body + 2, 2))
            } else if bytes[index..<index + 4].elementsEqual("data".utf8) {
                guard let format else { throw .truncated }
                guard (8000...48000).contains(format.rate), (1...2).contains(format.channels) else {
                    throw .unsupported("\(format.rate) Hz, \(format.channels) channels")
                }
                (rate, channels, dataOffset, dataLength) = (format.rate, format.channels, body, length)
                return
            }
            index = body + length + (length & 1)
        }
        throw .truncated
    }

    private static func little(_ bytes: [UInt8], _ index: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
    }
}
