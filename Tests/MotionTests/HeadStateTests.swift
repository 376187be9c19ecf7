import Media
import Motion
import TestSupport
import Testing

@Suite struct HeadStateTests {
    private let ann = MotionHolder(rawValue: 1)
    private let ben = MotionHolder(rawValue: 2)
    private let right = MotorOrder.move(MotorVelocity([.right], speed: 1))

    private static let abilities = SimulatedDriver.abilities(of: .init())

    private func state(_ change: (inout HeadState.Settings) -> Void = { _ in }) -> HeadState {
        var settings = HeadState.Settings()
        settings.limits = PTZLimits(minPan: -180, maxPan: 180, minTilt: -45, maxTilt: 90)
        change(&settings)
        var state = HeadState(settings, abilities: Self.abilities)
        _ = state.observe(MotorReading(position: MotorPosition(pan: 0, tilt: 0, zoom: 1)), at: .zero)
        return state
    }

    private func moving(_ pan: Double = 1) -> MotorReading {
        MotorReading(position: MotorPosition(pan: pan, tilt: 0, zoom: 1), isMoving: true)
    }

    @Test func aPressEndsAtItsRelease() throws {
        var state = state()
        #expect(try state.perform(.press([.right], speed: 1), for: ann, at: .zero) == [right])
        #expect(state.isMoving)
        #expect(try state.perform(.release, for: ann, at: .seconds(1)) == [.stop])
        #expect(!state.isMoving)
        #expect(state.counters.stops == [.command: 1])
        #expect(state.counters.moves == 1)
    }

    @Test func aReleaseIsPassedOnEvenAtRest() throws {
        var state = state()
        #expect(try state.perform(.release, for: ann, at: .zero) == [.stop])
        #expect(state.counters.stops == [:])
    }

    @Test func aPressEndsAtItsTimeLimitAndRepeatsRenewIt() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        #expect(try state.perform(.press([.right], speed: 1), for: ann, at: .seconds(4)) == [])
        #expect(state.expire(at: .seconds(8)) == [])
        #expect(state.nextDeadline == .seconds(9))
        #expect(state.expire(at: .seconds(9)) == [.stop])
        #expect(state.counters.stops == [.timeLimit: 1])
    }

    @Test func onlyOnesOwnPressCanBeRenewed() throws {
        var state = state()
        #expect(throws: PTZRefusal.overtaken) { try state.perform(.renew, for: ann, at: .zero) }
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        #expect(try state.perform(.renew, for: ann, at: .seconds(3)) == [])
        #expect(state.nextDeadline == .seconds(8))
        _ = try state.perform(.press([.left], speed: 1), for: ben, at: .seconds(4))
        #expect(throws: PTZRefusal.overtaken) { try state.perform(.renew, for: ann, at: .seconds(5)) }
        #expect(state.nextDeadline == .seconds(9))
    }

    @Test func aPressEndsWithItsHolder() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        #expect(state.lost(ben) == [])
        #expect(state.lost(ann) == [.stop])
        #expect(state.lost(ann) == [])
        #expect(state.counters.stops == [.holderLost: 1])
    }

    @Test func theNewestCommandWinsAndAnybodyMayStop() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        #expect(
            try state.perform(.press([.left], speed: 1), for: ben, at: .seconds(1))
                == [.move(MotorVelocity([.left], speed: 1))])
        #expect(state.lost(ann) == [])
        #expect(try state.perform(.release, for: ann, at: .seconds(2)) == [.stop])
        #expect(!state.isMoving)
    }

    @Test func speedZeroIsARelease() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        #expect(try state.perform(.press([.right], speed: 0), for: ann, at: .zero) == [.stop])
    }

    @Test func anEndOfTravelStops() throws {
        var state = state()
        _ = try state.perform(.press([.right, .up], speed: 1), for: ann, at: .zero)
        let atRight = MotorReading(position: MotorPosition(pan: 180, tilt: 0), isMoving: true)
        #expect(state.observe(atRight, at: .seconds(1)) == [.move(MotorVelocity([.up], speed: 1))])
        #expect(state.isAtEnd)
        let atBoth = MotorReading(position: MotorPosition(pan: 180, tilt: 10), isMoving: true, ends: [.up])
        #expect(state.observe(atBoth, at: .seconds(2)) == [.stop])
        #expect(state.counters.stops == [.end: 1])
        // Against the end nothing moves, and it is said.
        #expect(try state.perform(.press([.right], speed: 1), for: ann, at: .seconds(3)) == [])
        #expect(state.isAtEnd)
        #expect(try state.perform(.press([.left], speed: 1), for: ann, at: .seconds(3)) != [])
        #expect(!state.isAtEnd)
    }

    @Test func aWayEndsWhereItLeads() throws {
        var state = state()
        #expect(
            try state.perform(.go(pan: 20, tilt: nil, zoom: nil), for: ann, at: .zero)
                == [.go(MotorPosition(pan: 20))])
        #expect(state.observe(moving(), at: .seconds(1)) == [])
        #expect(state.observe(MotorReading(position: MotorPosition(pan: 20, tilt: 0)), at: .seconds(2)) == [.stop])
        #expect(state.counters.stops == [.arrived: 1])
        _ = try state.perform(.go(pan: 0, tilt: nil, zoom: nil), for: ann, at: .seconds(3))
        _ = state.observe(moving(), at: .seconds(3))
        #expect(state.lost(ann) == [.stop])
        _ = try state.perform(.go(pan: 0, tilt: nil, zoom: nil), for: ann, at: .seconds(4))
        _ = state.observe(moving(), at: .seconds(5))
        #expect(state.expire(at: .seconds(64)) == [.stop])
        #expect(state.counters.stops == [.arrived: 1, .holderLost: 1, .timeLimit: 1])
    }

    @Test func oneStepIsAShortWay() throws {
        var state = state()
        #expect(try state.perform(.step(.left), for: ann, at: .zero) == [.go(MotorPosition(pan: -2))])
        // A motor without positions moves for a moment.
        var blind = HeadState(.init(), abilities: MotorAbilities(directions: [.left]))
        #expect(try blind.perform(.step(.left), for: ann, at: .zero) == [.move(MotorVelocity([.left], speed: 0.5))])
        #expect(blind.expire(at: HeadState.stepTime) == [.stop])
        #expect(blind.counters.stops == [.arrived: 1])
    }

    @Test func badCommandsAreRefusedAndChangeNothing() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        let bad: [PTZCommand] = [
            .press([], speed: 1), .press([.left, .right], speed: 1), .press([.left], speed: 2),
            .press([.left], speed: .nan), .press([.left], speed: -1),
            .press(Array(repeating: .left, count: 6), speed: 1), .go(pan: nil, tilt: nil, zoom: nil),
            .go(pan: 181, tilt: nil, zoom: nil), .go(pan: .nan, tilt: nil, zoom: nil),
            .go(pan: nil, tilt: 91, zoom: nil),
            .setPreset(0), .setPreset(256), .callPreset(1), .callPreset(-1), .clearPreset(9), .startPatrol(nil),
            .startPatrol([1, 2]), .startPatrol(Array(repeating: 1, count: 65)), .auxiliary(0, isOn: true),
            .auxiliary(9, isOn: true),
        ]
        for command in bad {
            #expect(throws: PTZRefusal.self) { try state.perform(command, for: ben, at: .seconds(1)) }
        }
        #expect(state.isMoving)
        #expect(state.lost(ann) == [.stop])
    }

    @Test func aHeadThatDoesNotKnowWhereItIsGoesHomeFirst() throws {
        var state = state()
        _ = state.observe(MotorReading(), at: .zero)
        #expect(throws: PTZRefusal.positionUnknown) {
            try state.perform(.go(pan: 1, tilt: nil, zoom: nil), for: ann, at: .zero)
        }
        #expect(throws: PTZRefusal.positionUnknown) { try state.perform(.setPreset(1), for: ann, at: .zero) }
        #expect(try state.perform(.press([.right], speed: 1), for: ann, at: .zero) == [right])
        #expect(try state.perform(.home, for: ann, at: .zero) == [.home])
    }

    @Test func aPatrolOutlivesItsHolderAndEndsWithTheNextCommand() throws {
        var state = state()
        for number in [1, 2] {
            _ = state.observe(MotorReading(position: MotorPosition(pan: Double(number), tilt: 0)), at: .zero)
            _ = try state.perform(.setPreset(number), for: ann, at: .zero)
        }
        #expect(try state.perform(.startPatrol(nil), for: ann, at: .zero) == [.go(MotorPosition(pan: 1, tilt: 0))])
        #expect(state.lost(ann) == [])
        #expect(state.observe(moving(), at: .seconds(1)) == [])
        #expect(state.observe(MotorReading(position: MotorPosition(pan: 1, tilt: 0)), at: .seconds(2)) == [.stop])
        #expect(state.isPatrolling)
        #expect(state.nextDeadline == .seconds(10))
        #expect(state.expire(at: .seconds(10)) == [.go(MotorPosition(pan: 2, tilt: 0))])
        // A way that never ends is no patrol.
        _ = state.observe(moving(), at: .seconds(11))
        #expect(state.expire(at: .seconds(70)) == [.stop])
        #expect(!state.isPatrolling)

        _ = try state.perform(.startPatrol([2, 1]), for: ann, at: .seconds(80))
        _ = try state.perform(.press([.right], speed: 1), for: ben, at: .seconds(81))
        #expect(!state.isPatrolling)
        _ = try state.perform(.startPatrol([2, 1]), for: ann, at: .seconds(80))
        #expect(try state.perform(.stopPatrol, for: ben, at: .seconds(81)) == [.stop])
        #expect(try state.perform(.stopPatrol, for: ben, at: .seconds(81)) == [])
    }

    @Test func presetsOfTheHeadItselfAreItsOwn() throws {
        var abilities = MotorAbilities(directions: [.left])
        abilities.keepsPresets = true
        var state = HeadState(.init(), abilities: abilities)
        #expect(try state.perform(.setPreset(3), for: ann, at: .zero) == [.setPreset(3)])
        #expect(try state.perform(.callPreset(7), for: ann, at: .zero) == [.callPreset(7)])
        #expect(try state.perform(.clearPreset(3), for: ann, at: .zero) == [.clearPreset(3)])
        #expect(state.presets == [:])
    }

    @Test func losingTheMotorEndsEverything() throws {
        var state = state()
        _ = try state.perform(.press([.right], speed: 1), for: ann, at: .zero)
        _ = state.stop(because: .fault)
        #expect(!state.isMoving)
        #expect(state.counters.faults == 1)
        #expect(state.nextDeadline == nil)
    }
}
