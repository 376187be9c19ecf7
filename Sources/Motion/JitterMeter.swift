import Media

/// Counts how late steps are taken, in fixed memory.
package struct JitterMeter: Sendable {
    /// Microseconds; what is later counts in the last of them.
    package static let resolution = 5
    package static let buckets = 4000

    private var counts = [Int](repeating: 0, count: buckets)
    private var steps = 0
    private var maximum = 0

    package init() {}

    package mutating func add(_ lateness: MediaTime) {
        let late = Int(max(lateness.microseconds, 0))
        counts[min(late / Self.resolution, Self.buckets - 1)] += 1
        steps += 1
        maximum = max(maximum, late)
    }

    /// Nil before the first step. Percentiles are rounded up to the resolution.
    package var summary: StepJitter? {
        steps == 0 ? nil : StepJitter(steps: steps, p50: percentile(50), p99: percentile(99), maximum: maximum)
    }

    private func percentile(_ part: Int) -> Int {
        var left = (steps * part + 99) / 100
        for (index, count) in counts.enumerated() {
            left -= count
            if left <= 0 { return min((index + 1) * Self.resolution, maximum) }
        }
        return maximum
    }
}
