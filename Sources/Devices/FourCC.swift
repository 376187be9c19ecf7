/// A pixel format's four letters, as V4L2 numbers them (linux/videodev2.h).
package struct FourCC: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let code: UInt32

    package init(code: UInt32) { self.code = code }

    package init(stringLiteral text: StaticString) {
        code = text.withUTF8Buffer { $0.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    }

    package var description: String {
        String(decoding: (0..<4).map { UInt8(truncatingIfNeeded: code >> ($0 * 8)) }, as: UTF8.self)
            .trimmingSuffix { $0 == " " || $0 == "\0" }
    }

    package static let nv12: FourCC = "NV12"
    package static let yu12: FourCC = "YU12"
    package static let yuyv: FourCC = "YUYV"
    package static let uyvy: FourCC = "UYVY"
    package static let mjpeg: FourCC = "MJPG"
    package static let jpeg: FourCC = "JPEG"
    package static let h264: FourCC = "H264"
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}
