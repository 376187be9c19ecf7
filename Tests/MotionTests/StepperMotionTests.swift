import Media
import Motion
import Testing

@Suite struct StepperMotionTests {
    private func motion(holds: Bool = false, at position: MotorPosition = .init(pan: 0, tilt: 0)) -> StepperMotion {
        StepperMotion(pan: StepperAxisTests.settings, tilt: StepperAxisTests.settings, holds: holds, position: position)
    }

    private func run(
        _ motion: inout StepperMotion, closed: (StepperMotion) -> DirectionSet = { _ in [] }
    ) {
        while let next = motion.nextEvent { motion.advance(to: next, closed: closed(motion)) }
    }

    @Test func bothMotorsGoTogether() {
        var motion = motion()
        motion.carryOut(.go(MotorPosition(pan: 30, tilt: -20)), at: .zero)
        #expect(motion.reading.isMoving)
        run(&motion)
        #expect(motion.reading == MotorReading(position: MotorPosition(pan: 30, tilt: -20)))
    }

    @Test func coilsCarryNoCurrentOnceTheHeadHasSettled() {
        var motion = motion()
        #expect(motion.levels == 0)
        motion.carryOut(.move(MotorVelocity([.right], speed: 1)), at: .zero)
        #expect(motion.levels & 0x0F != 0)
        #expect(motion.levels & 0xF0 == 0)
        motion.halt()
        #expect(motion.levels == 0)
        motion.carryOut(.go(MotorPosition(pan: 1)), at: .zero)
        while motion.nextStep != nil, let next = motion.nextEvent { motion.advance(to: next) }
        #expect(motion.levels != 0)
        run(&motion)
        #expect(motion.levels == 0)
    }

    @Test func aHeavyHeadIsHeld() {
        let motion = motion(holds: true)
        #expect(motion.levels & 0x0F != 0)
        #expect(motion.levels & 0xF0 != 0)
    }

    @Test func homeIsFoundAndThenZeroIsGoneTo() {
        var motion = motion(at: MotorPosition())
        #expect(motion.reading.position == MotorPosition())
        motion.carryOut(.home, at: .zero)
        var steps = 0
        run(&motion) { _ in
            steps += 1
            return steps > 500 && steps < 600 ? [.left, .down] : []
        }
        #expect(motion.reading.position == MotorPosition(pan: 0, tilt: 0))
        #expect(!motion.missesSwitch)
    }

    @Test func anEndSwitchIsAnEnd() {
        var motion = motion()
        motion.carryOut(.move(MotorVelocity([.right], speed: 1)), at: .zero)
        run(&motion) { $0.reading.position.pan ?? 0 >= 12 ? [.right] : [] }
        #expect(motion.reading.position.pan == 12)
        #expect(motion.reading.ends == [.right])
    }
}
