/// A point on, or a span of, the media time line: nanoseconds of the system's monotonic clock.
///
/// Wall-clock time never enters here, so a clock step moves no time stamp. 64 bits of nanoseconds last 292 years.
package struct MediaTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = MediaTime(nanoseconds: 0)
    package static func seconds(_ value: Int64) -> MediaTime { .init(nanoseconds: value * 1_000_000_000) }
    package static func milliseconds(_ value: Int64) -> MediaTime { .init(nanoseconds: value * 1_000_000) }
    package static func microseconds(_ value: Int64) -> MediaTime { .init(nanoseconds: value * 1_000) }

    /// The time that `count` samples last at `rate` per second, counted from zero so that rounding never adds up.
    package static func samples(_ count: Int64, rate: Int) -> MediaTime {
        let rate = Int64(rate)
        return .init(nanoseconds: count / rate * 1_000_000_000 + count % rate * 1_000_000_000 / rate)
    }

    /// The nearest whole number of ticks, of which a second has `rate`; from the whole, so that rounding never adds up.
    package func ticks(rate: Int) -> Int64 {
        let rate = Int64(rate)
        var seconds = nanoseconds / 1_000_000_000
        var rest = nanoseconds % 1_000_000_000
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
        return seconds * rate + (rest * rate + 500_000_000) / 1_000_000_000
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Whole milliseconds, rounded down (for negative times too), as wire formats want them.
    package var milliseconds: Int64 {
        nanoseconds >= 0 ? nanoseconds / 1_000_000 : -((-nanoseconds + 999_999) / 1_000_000)
    }

    package var microseconds: Int64 { nanoseconds / 1_000 }

    package static func < (a: MediaTime, b: MediaTime) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (a: MediaTime, b: MediaTime) -> MediaTime {
        .init(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    package static func - (a: MediaTime, b: MediaTime) -> MediaTime {
        .init(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    package static func * (a: MediaTime, b: Int64) -> MediaTime { .init(nanoseconds: a.nanoseconds * b) }
    package static func += (a: inout MediaTime, b: MediaTime) { a = a + b }
}
