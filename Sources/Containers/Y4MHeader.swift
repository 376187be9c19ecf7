import Media

/// The first line of a YUV4MPEG2 file (mjpegtools, yuv4mpeg(5)): size and rate. Pictures follow, each behind a line
/// that begins with `FRAME`.
package struct Y4MHeader: Sendable, Hashable {
    package let size: PictureSize
    /// Pictures a second, as a fraction.
    package let rateNumerator: Int
    package let rateDenominator: Int

    /// A header longer than this is refused.
    package static let maximumLength = 1024

    package enum ParseError: Error, Equatable {
        case notY4M
        case missing(String)
        case unsupportedColours(String)
    }

    package init(line: String) throws(ParseError) {
        let words = line.split(separator: " ")
        guard words.first == "YUV4MPEG2" else { throw .notY4M }
        var width: Int?
        var height: Int?
        var rate: (Int, Int)?
        for word in words.dropFirst() {
            let value = word.dropFirst()
            switch word.first {
            case "W": width = Int(value)
            case "H": height = Int(value)
            case "F":
                let parts = value.split(separator: ":").compactMap { Int($0) }
                if parts.count == 2, parts[0] > 0, parts[1] > 0 { rate = (parts[0], parts[1]) }
            case "C":
                guard ["420", "420jpeg", "420paldv", "420mpeg2"].contains(value) else {
                    throw .unsupportedColours(String(value))
                }
            default: break
            }
        }
        guard let width, (2...16384).contains(width), width % 2 == 0 else { throw .missing("an even width (W)") }
        guard let height, (2...16384).contains(height), height % 2 == 0 else { throw .missing("an even height (H)") }
        guard let rate else { throw .missing("a frame rate (F)") }
        size = PictureSize(width: width, height: height)
        (rateNumerator, rateDenominator) = rate
    }

    /// When picture `index` is due, from the first one.
    package func time(of index: Int64) -> MediaTime {
        let step = index * Int64(rateDenominator)
        let rate = Int64(rateNumerator)
        return MediaTime(nanoseconds: step / rate * 1_000_000_000 + step % rate * 1_000_000_000 / rate)
    }
}
