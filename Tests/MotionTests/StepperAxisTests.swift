import Media
import Motion
import TestSupport
import Testing

@Suite struct StepperAxisTests {
    static let settings = StepperAxis.Settings(
        stepsPerDegree: 10, startRate: 200, maximumRate: 1000, acceleration: 4000, range: -90...90, homing: .switch)

    /// Takes every step when it is due, until the axis rests.
    @discardableResult
    private func run(
        _ axis: inout StepperAxis, until end: MediaTime = .seconds(1000),
        blocked: (StepperAxis) -> (Bool, Bool) = { _ in (false, false) }
    ) -> [MediaTime] {
        var times: [MediaTime] = []
        while let next = axis.nextStep, next <= end {
            let ends = blocked(axis)
            if axis.advance(to: next, blocked: (minimum: ends.0, maximum: ends.1)) { times.append(next) }
        }
        return times
    }

    @Test func goesWhereItIsSentAndRestsThere() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.go(degrees: 45, at: .zero)
        let times = run(&axis)
        #expect(times.count == 450)
        #expect(axis.degrees == 45)
        #expect(!axis.isMoving)
        axis.go(degrees: -90, at: .seconds(10))
        run(&axis)
        #expect(axis.degrees == -90)
        #expect(axis.isAtMinimum)
    }

    @Test func speedsUpAndSlowsDownWithinItsAcceleration() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.go(degrees: 80, at: .zero)
        let times = run(&axis)
        let rates = zip(times, times.dropFirst()).map { 1 / ($1 - $0).seconds }
        #expect(rates.allSatisfy { $0 <= 1001 && $0 >= 199 })
        #expect(rates.contains { $0 > 999 })
        for (a, b) in zip(rates, rates.dropFirst()) { #expect(abs(a * a - b * b) / 2 <= 4000 * 1.02) }
    }

    @Test func everyStepTurnsTheMotorByOnePhase() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.run(1, at: .zero)
        var seen: [UInt64] = [axis.levels]
        while seen.count < 17, let next = axis.nextStep {
            _ = axis.advance(to: next)
            seen.append(axis.levels)
        }
        #expect(Array(seen.prefix(8)) == [1, 3, 2, 6, 4, 12, 8, 9])
        #expect(seen[8] == seen[0])
        // One coil, then two, then one.
        #expect(seen.map(\.nonzeroBitCount) == seen.indices.map { $0 % 2 + 1 })
    }

    @Test func stopsWithinItsBrakingTime() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.run(1, at: .zero)
        run(&axis, until: .milliseconds(600))
        axis.stop()
        let times = run(&axis)
        #expect(!axis.isMoving)
        #expect(times.last.map { ($0 - .milliseconds(600)).seconds < Self.settings.brakingSeconds + 0.02 } == true)
    }

    @Test func turnsRoundThroughRest() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.run(1, at: .zero)
        run(&axis, until: .milliseconds(400))
        let turn = axis.position
        axis.run(-1, at: .milliseconds(400))
        let times = run(&axis, until: .milliseconds(1200))
        #expect(axis.position < turn)
        #expect(zip(times, times.dropFirst()).allSatisfy { ($1 - $0).seconds >= 0.00099 })
    }

    @Test func neverPassesItsRange() {
        var axis = StepperAxis(Self.settings, degrees: 80)
        axis.run(1, at: .zero)
        run(&axis)
        #expect(axis.degrees == 90)
        #expect(axis.isAtMaximum)
        axis.run(1, at: .seconds(5))
        #expect(!axis.isMoving)
    }

    @Test func anEndSwitchStopsItAtOnce() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.run(-1, at: .zero)
        run(&axis) { ($0.position <= -123, false) }
        #expect(axis.position == -123)
        #expect(!axis.isMoving)
        // The other way is free.
        axis.run(1, at: .seconds(1))
        run(&axis, until: .milliseconds(1100)) { _ in (true, false) }
        #expect(axis.position > -123)
    }

    @Test func findsItsPositionByTheSwitch() {
        var axis = StepperAxis(Self.settings)
        #expect(axis.degrees == nil)
        axis.home(at: .zero)
        run(&axis) { ($0.position <= -700, false) }
        #expect(axis.degrees == -90)
        #expect(!axis.homingFailed)
    }

    @Test func aSwitchThatIsNotThereEndsTheSearch() {
        var axis = StepperAxis(Self.settings)
        axis.home(at: .zero)
        let steps = run(&axis).count
        #expect(axis.homingFailed)
        #expect(axis.degrees == nil)
        #expect((1800...1900).contains(steps))
    }

    @Test func findsItsPositionByAStop() {
        var settings = Self.settings
        settings.homing = .stop
        var axis = StepperAxis(settings)
        axis.home(at: .zero)
        run(&axis)
        #expect(axis.degrees == -90)
    }

    @Test func aLateStepHurriesNone() {
        var axis = StepperAxis(Self.settings, degrees: 0)
        axis.run(1, at: .zero)
        run(&axis, until: .milliseconds(500))
        let hasStepped = axis.advance(to: .milliseconds(800))
        #expect(hasStepped)
        #expect(axis.nextStep.map { ($0 - .milliseconds(800)).seconds >= 0.00099 } == true)
    }

    @Test func anyOrdersAtAnyTimeStayWithinRangeAndRate() {
        var random = SplitMix64(state: 11)
        var isFine = true
        for _ in 0..<300 {
            var axis = StepperAxis(Self.settings, degrees: Double(random.below(181) - 90))
            var now = MediaTime.zero
            var last = MediaTime.seconds(-1)
            for _ in 0..<30 {
                switch random.below(5) {
                case 0: axis.stop()
                case 1: axis.go(degrees: Double(random.below(181) - 90), at: now)
                default: axis.run(Double(random.below(201) - 100) / 100, at: now)
                }
                let end = now + .milliseconds(Int64(random.below(400)))
                while let next = axis.nextStep, next <= end {
                    _ = axis.advance(to: next)
                    isFine = isFine && (next - last).seconds >= 0.00099 && (-900...900).contains(axis.position)
                    last = next
                }
                now = end
            }
            axis.stop()
            run(&axis)
            isFine = isFine && !axis.isMoving
        }
        #expect(isFine)
    }
}
