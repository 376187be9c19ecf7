import Glibc

/// The device's wall clock as text. Only for people to read; never a time of media.
package enum WallClock {
    /// Seconds since 1970.
    package static var now: Int { Int(time(nil)) }

    /// - Parameters:
    ///   - format: as strftime(3).
    ///   - seconds: since 1970.
    package static func format(_ format: String, seconds: Int) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = strftime(base, buffer.count, format, &parts)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
