import Media

/// How much of what was written a device of an honest rate cannot have played yet. A value; no I/O.
package struct PlaybackPace: Sendable {
    /// Faster than any crystal, slower than what a receiver can follow.
    package static let tolerance = 0.002

    private let rate: Int
    private var origin: MediaTime?
    private var written = 0

    package init(rate: Int) { self.rate = rate }

    package func unplayed(at now: MediaTime) -> Int {
        guard let origin else { return 0 }
        let played = (now - origin).seconds * Double(rate) * (1 + Self.tolerance)
        return max(written - Int(played), 0)
    }

    package mutating func wrote(_ count: Int, at now: MediaTime) {
        let left = unplayed(at: now)
        if left == 0 { (origin, written) = (now, 0) }
        written += count
        // Counted anew now and then, so that numbers stay small and exact.
        if left > 0, written > 600 * rate { (origin, written) = (now, left + count) }
    }
}
