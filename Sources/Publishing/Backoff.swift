import Media

/// How long to wait before the next attempt. Pauses double up to a cap, are shortened by chance so that many devices do
/// not return in step, and begin anew after a spell of good sending. Each pace has a ladder of its own.
package struct Backoff: Sendable {
    package enum Pace: Sendable, Hashable, CaseIterable {
        /// The network or the service failed.
        case normal
        /// The service holds the name for an older publisher; hammering prolongs that.
        case busy
        /// The service does not want us: a key or a certificate must be changed by somebody first.
        case refused
    }

    package struct Ladder: Sendable, Hashable {
        package var first: MediaTime
        package var cap: MediaTime

        package init(first: MediaTime, cap: MediaTime) {
            self.first = first
            self.cap = cap
        }
    }

    package struct Settings: Sendable, Hashable {
        package var normal = Ladder(first: .seconds(1), cap: .seconds(30))
        package var busy = Ladder(first: .seconds(5), cap: .seconds(30))
        package var refused = Ladder(first: .seconds(30), cap: .seconds(300))
        /// So much good sending makes the ladders begin anew.
        package var resetAfter = MediaTime.seconds(60)
        /// Up to this share of a pause is left out by chance.
        package var jitter = 0.3

        package init() {}

        func ladder(_ pace: Pace) -> Ladder {
            switch pace {
            case .normal: normal
            case .busy: busy
            case .refused: refused
            }
        }
    }

    package let settings: Settings
    private var steps: [Pace: Int] = [:]

    package init(_ settings: Settings) { self.settings = settings }

    /// - Parameter random: evenly from 0 to 1.
    package mutating func next(_ pace: Pace, random: Double) -> MediaTime {
        let ladder = settings.ladder(pace)
        let step = steps[pace, default: 0]
        // 2^20 steps are far beyond every cap; more would overflow.
        let full = min(ladder.cap.nanoseconds, ladder.first.nanoseconds.multipliedClamped(by: 1 << min(step, 20)))
        steps[pace] = step + 1
        let kept = 1 - settings.jitter * min(max(random, 0), 1)
        return MediaTime(nanoseconds: Int64(Double(full) * kept))
    }

    /// To be told after each connection how long it sent well.
    package mutating func sentWell(for span: MediaTime) {
        if span >= settings.resetAfter { steps = [:] }
    }
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
