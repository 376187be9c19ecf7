import CLinux
import Glibc

/// Dates and times as people here write them, in the time zone of this machine.
package enum LocalTime {
    private static let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]

    /// Milliseconds since 1970 of "2026-11-21", "2026-11-21 14:05" or "2026-11-21 14:05:00"; nil for anything else.
    package static func milliseconds(_ text: String) -> Int64? {
        for form in forms {
            var parts = tm()
            parts.tm_isdst = -1
            let isWhole = text.withCString { text in
                strptime(text, form, &parts).map { $0.pointee == 0 } ?? false
            }
            guard isWhole else { continue }
            // The hour may be one that the clock skips; then it is the next one.
            let seconds = mktime(&parts)
            return seconds < 0 ? nil : Int64(seconds) * 1000
        }
        return nil
    }

    /// "2026-11-21 14:05:00".
    package static func text(milliseconds: Int64) -> String { text(milliseconds / 1000, form: "%Y-%m-%d %H:%M:%S") }

    /// "20261121-140500", for names of files.
    package static func compact(_ seconds: Int) -> String { text(Int64(seconds), form: "%Y%m%d-%H%M%S") }

    private static func text(_ seconds: Int64, form: String) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, form, &parts)
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
