import Media

/// One stepper motor: where it is, how fast it turns and when its next step is due. Counts in half steps.
///
/// It speeds up and slows down at a constant rate: each step changes the square of the speed by twice the acceleration
/// (v² = v₀² + 2as with s = 1).
package struct StepperAxis: Sendable {
    package struct Settings: Sendable, Hashable {
        /// Half steps a degree of the head, behind the gears.
        package var stepsPerDegree: Double
        /// Half steps a second, from which it can stop within a step.
        package var startRate: Double
        package var maximumRate: Double
        /// Half steps a second each second.
        package var acceleration: Double
        /// Degrees.
        package var range: ClosedRange<Double>
        package var homing: Homing

        /// From the fastest to rest takes so long at most, or a stop would not be one: 0.5 s.
        package static let longestBraking = 0.5
        package var brakingSeconds: Double { (maximumRate - startRate) / acceleration }

        package init(
            stepsPerDegree: Double, startRate: Double, maximumRate: Double, acceleration: Double,
            range: ClosedRange<Double>, homing: Homing
        ) {
            self.stepsPerDegree = stepsPerDegree
            self.startRate = startRate
            self.maximumRate = maximumRate
            self.acceleration = acceleration
            self.range = range
            self.homing = homing
        }
    }

    /// How the axis finds out where it is.
    package enum Homing: String, Sendable, Hashable, CaseIterable {
        /// By the end switch at its minimum.
        case `switch`
        /// By running against a mechanical stop at its minimum, which it must be able to bear.
        case stop
        /// It cannot.
        case none
    }

    private enum Goal: Hashable {
        case rest
        case run(direction: Int, rate: Double)
        case reach(Int)
        /// To the minimum, which is not known; so many steps at most.
        case seek(stepsLeft: Int)
    }

    package let settings: Settings
    /// In half steps; only means something while `isKnown`.
    package private(set) var position = 0
    package private(set) var isKnown = false
    /// Steps a second; 0 at rest.
    package private(set) var rate = 0.0
    package private(set) var nextStep: MediaTime?
    /// It looked for its switch, and there was none.
    package private(set) var homingFailed = false
    /// Of the eight of a half-step sequence.
    private var phase = 0
    private var direction = 1
    private var goal = Goal.rest
    private let minimum: Int
    private let maximum: Int

    /// The four coils, bit 0 the first, in the order in which they turn the motor right or up.
    private static let coils: [UInt64] = [0b0001, 0b0011, 0b0010, 0b0110, 0b0100, 0b1100, 0b1000, 0b1001]
    /// A switch must be found within so many parts of the whole travel.
    private static let seekMargin = 1.05

    package init(_ settings: Settings, degrees: Double? = nil) {
        self.settings = settings
        minimum = Int((settings.range.lowerBound * settings.stepsPerDegree).rounded(.up))
        maximum = Int((settings.range.upperBound * settings.stepsPerDegree).rounded(.down))
        if let degrees {
            position = min(max(Int((degrees * settings.stepsPerDegree).rounded()), minimum), maximum)
            isKnown = true
        }
    }

    package var degrees: Double? { isKnown ? Double(position) / settings.stepsPerDegree : nil }
    package var isMoving: Bool { nextStep != nil }
    package var isHoming: Bool { if case .seek = goal { true } else { false } }
    package var isAtMinimum: Bool { isKnown && position <= minimum }
    package var isAtMaximum: Bool { isKnown && position >= maximum }
    /// Which coils are to carry current.
    package var levels: UInt64 { Self.coils[phase] }

    // MARK: Orders

    /// - Parameter velocity: -1…1 of the fastest.
    package mutating func run(_ velocity: Double, at now: MediaTime) {
        guard velocity != 0 else { return stop() }
        let rate = settings.startRate + (settings.maximumRate - settings.startRate) * min(abs(velocity), 1)
        pursue(.run(direction: velocity < 0 ? -1 : 1, rate: rate), at: now)
    }

    /// Only while the position is known.
    package mutating func go(degrees: Double, at now: MediaTime) {
        let target = Int((degrees * settings.stepsPerDegree).rounded())
        pursue(.reach(min(max(target, minimum), maximum)), at: now)
    }

    package mutating func home(at now: MediaTime) {
        guard settings.homing != .none else { return }
        homingFailed = false
        isKnown = false
        pursue(.seek(stepsLeft: Int(Double(maximum - minimum) * Self.seekMargin) + 1), at: now)
    }

    /// Slows down and comes to rest.
    package mutating func stop() { goal = .rest }

    /// Comes to rest with this step.
    package mutating func halt() {
        goal = .rest
        rate = 0
        nextStep = nil
    }

    private mutating func pursue(_ goal: Goal, at now: MediaTime) {
        self.goal = goal
        guard nextStep == nil, let wanted = wantedDirection, remaining(wanted) > 0 else { return }
        begin(wanted, at: now)
    }

    private mutating func begin(_ direction: Int, at time: MediaTime) {
        self.direction = direction
        rate = settings.startRate
        nextStep = time + interval
    }

    // MARK: Steps

    /// Takes the step that is due, if one is.
    ///
    /// - Parameter blocked: whether the end switch at the minimum, at the maximum is closed.
    /// - Returns: whether `levels` changed.
    package mutating func advance(to now: MediaTime, blocked: (minimum: Bool, maximum: Bool) = (false, false)) -> Bool {
        guard let due = nextStep, due <= now else { return false }
        if direction < 0 ? blocked.minimum : blocked.maximum {
            meetEnd()
            return false
        }
        position += direction
        phase = (phase + direction) & 7
        if case .seek(let left) = goal { goal = .seek(stepsLeft: left - 1) }
        plan(after: due, now: now)
        return true
    }

    private mutating func plan(after due: MediaTime, now: MediaTime) {
        let left = wantedDirection == direction ? remaining(direction) : 0
        if left == 0, isHoming { return meetEndOfSeek() }
        if left == 0, rate <= settings.startRate || isAtLimit { return turnOrRest(at: now) }
        let change = 2 * settings.acceleration
        let slowest = settings.startRate * settings.startRate
        // As fast as it may and can be, if it is to be slow enough to rest after `left` steps.
        let fastest = left == 0 ? slowest : min(wantedRate * wantedRate, slowest + change * Double(left - 1))
        let square = rate * rate
        rate = min(square + change, max(fastest, square - change)).squareRoot()
        if rate * 0.999 < settings.startRate { rate = settings.startRate }
        // On the plan's own clock, so that lateness never adds up; but no step hurries after one that was far too late.
        nextStep = now - due > halfInterval ? now + interval : due + interval
    }

    /// At rest for a moment; it may be wanted in the other direction.
    private mutating func turnOrRest(at now: MediaTime) {
        rate = 0
        nextStep = nil
        guard let wanted = wantedDirection, remaining(wanted) > 0 else { return goal = .rest }
        begin(wanted, at: now)
    }

    /// A switch is closed.
    private mutating func meetEnd() {
        if isHoming, settings.homing == .switch {
            position = minimum
            isKnown = true
        }
        halt()
    }

    /// All of the travel, and more, went by.
    private mutating func meetEndOfSeek() {
        if settings.homing == .stop {
            position = minimum
            isKnown = true
        } else {
            homingFailed = true
        }
        halt()
    }

    private var interval: MediaTime { MediaTime(nanoseconds: Int64(1e9 / max(rate, settings.startRate))) }
    private var halfInterval: MediaTime { MediaTime(nanoseconds: interval.nanoseconds / 2) }
    private var isAtLimit: Bool { direction < 0 ? isAtMinimum : isAtMaximum }

    private var wantedDirection: Int? {
        switch goal {
        case .rest: nil
        case .run(let direction, _): direction
        case .reach(let target): target == position ? nil : target < position ? -1 : 1
        case .seek: -1
        }
    }

    private var wantedRate: Double {
        switch goal {
        case .run(_, let rate): rate
        // Without knowing how near the end is, no faster than it can stop.
        case .seek, .rest: settings.startRate
        case .reach: settings.maximumRate
        }
    }

    /// Steps it may still take that way.
    private func remaining(_ direction: Int) -> Int {
        if case .seek(let left) = goal { return left }
        guard isKnown else { return .max }
        let limit = direction < 0 ? position - minimum : maximum - position
        if case .reach(let target) = goal { return min(abs(target - position), max(limit, 0)) }
        return max(limit, 0)
    }
}
