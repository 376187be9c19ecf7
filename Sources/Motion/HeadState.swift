import Media

/// What one head is doing, and for whom: commands, losses, readings of the motor and time in, orders to the motor out.
///
/// **A motor without a living command stops.** A press lives until its release, the loss of its holder, its time limit
/// or an end of travel; a way to a position until it is there, or the same losses and its own, longer limit. A patrol
/// is the head's own way and outlives its holder. The newest command wins; a release stops whatever moves.
package struct HeadState: Sendable {
    package struct Settings: Sendable, Hashable {
        package var timeLimit = MediaTime.seconds(5)
        /// For ways to a position, presets and home.
        package var travelLimit = MediaTime.seconds(60)
        /// How long a patrol looks at each preset.
        package var dwell = MediaTime.seconds(8)
        /// One step, where the motor goes to positions.
        package var stepDegrees = 2.0
        package var limits: PTZLimits?

        package init() {}
    }

    /// One step of a motor that knows no positions takes so long, at `stepSpeed`.
    package static let stepTime = MediaTime.milliseconds(200)
    package static let stepSpeed = 0.5
    package static let maximumPatrolLength = 64

    private enum Activity: Hashable {
        case rest
        /// By hand, or one step by time.
        case move(MotorVelocity, holder: MotionHolder, deadline: MediaTime, isStep: Bool)
        /// To a place. A patrol's ways have no holder.
        case travel(holder: MotionHolder?, deadline: MediaTime)
    }

    private struct Patrol: Hashable {
        var presets: [Int]
        var next = 0
        /// While it looks at a preset.
        var dwellsUntil: MediaTime?
    }

    package private(set) var presets: [Int: MotorPosition]
    package private(set) var counters = PTZCounters()
    package private(set) var reading = MotorReading()
    private var activity = Activity.rest
    private var patrol: Patrol?
    /// Where the last command wanted to go.
    private var wanted: [PTZDirection] = []
    private let settings: Settings
    private let abilities: MotorAbilities

    package init(_ settings: Settings, abilities: MotorAbilities, presets: [Int: MotorPosition] = [:]) {
        self.settings = settings
        self.abilities = abilities
        self.presets = presets
    }

    // MARK: What it is doing

    /// Something was ordered that has not ended, or the motor has not come to rest yet.
    package var isMoving: Bool { activity != .rest || reading.isMoving }
    package var isPatrolling: Bool { patrol != nil }
    package var isAtEnd: Bool { wanted.contains { blocked.contains($0) } }

    /// When `expire` has something to do.
    package var nextDeadline: MediaTime? {
        switch activity {
        case .rest: patrol?.dwellsUntil
        case .move(_, _, let deadline, _), .travel(_, let deadline): deadline
        }
    }

    /// Where it must not go: the motor says so, or the limits do.
    private var blocked: DirectionSet {
        var blocked = reading.ends
        guard let limits = settings.limits else { return blocked }
        if let pan = reading.position.pan {
            if pan <= limits.minPan { blocked.insert(.left) }
            if pan >= limits.maxPan { blocked.insert(.right) }
        }
        if let tilt = reading.position.tilt {
            if tilt <= limits.minTilt { blocked.insert(.down) }
            if tilt >= limits.maxTilt { blocked.insert(.up) }
        }
        return blocked
    }

    // MARK: Commands

    package mutating func perform(
        _ command: PTZCommand, for holder: MotionHolder, at now: MediaTime
    ) throws(PTZRefusal) -> [MotorOrder] {
        switch command {
        case .press(let directions, let speed): return try press(directions, speed, holder, now)
        case .renew: return try renew(holder, now)
        case .release: return release()
        case .step(let direction): return try step(direction, holder, now)
        case .go(let pan, let tilt, let zoom):
            return try go(MotorPosition(pan: pan, tilt: tilt, zoom: zoom), holder, now)
        case .home:
            guard abilities.homes else { throw .unsupported("this head cannot find its position by itself") }
            return travel([.home], for: holder, at: now)
        case .setPreset(let number): return try setPreset(number)
        case .callPreset(let number):
            let order = try orderToPreset(number)
            return travel([order], for: holder, at: now)
        case .clearPreset(let number):
            guard presets.removeValue(forKey: try Self.checked(number)) != nil else { throw .noSuchPreset(number) }
            return abilities.keepsPresets ? [.clearPreset(number)] : []
        case .startPatrol(let list): return try startPatrol(list, now)
        case .stopPatrol: return patrol == nil ? [] : stop(because: .command)
        case .auxiliary(let number, let isOn):
            guard abilities.hasAuxiliaries else { throw .unsupported("this head has no auxiliary outputs") }
            guard (1...PTZCommand.maximumAuxiliary).contains(number) else {
                throw .badCommand("an auxiliary is 1 to \(PTZCommand.maximumAuxiliary), not \(number)")
            }
            return [.auxiliary(number, isOn: isOn)]
        }
    }

    private mutating func press(
        _ directions: [PTZDirection], _ speed: Double, _ holder: MotionHolder, _ now: MediaTime
    ) throws(PTZRefusal) -> [MotorOrder] {
        guard (0...1).contains(speed) else { throw .badCommand("a speed is 0 to 1, not \(speed)") }
        try check(directions)
        guard speed > 0 else { return release() }
        return move(directions, speed, holder, until: now + settings.timeLimit, isStep: false)
    }

    private mutating func renew(_ holder: MotionHolder, _ now: MediaTime) throws(PTZRefusal) -> [MotorOrder] {
        guard case .move(let velocity, holder, _, isStep: false) = activity else { throw .overtaken }
        activity = .move(velocity, holder: holder, deadline: now + settings.timeLimit, isStep: false)
        return []
    }

    private mutating func step(
        _ direction: PTZDirection, _ holder: MotionHolder, _ now: MediaTime
    ) throws(PTZRefusal) -> [MotorOrder] {
        try check([direction])
        guard let target = stepTarget(direction) else {
            return move([direction], Self.stepSpeed, holder, until: now + Self.stepTime, isStep: true)
        }
        wanted = [direction]
        if blocked.contains(direction) { return activity == .rest ? [] : stop(because: .end) }
        return travel([.go(target)], for: holder, at: now)
    }

    /// Nil where the motor cannot go to positions on that axis, or does not know its own.
    private func stepTarget(_ direction: PTZDirection) -> MotorPosition? {
        let limits = settings.limits
        func place(_ value: Double?, _ sign: Double, _ low: Double?, _ high: Double?) -> Double? {
            value.map { min(max($0 + sign * settings.stepDegrees, low ?? -.infinity), high ?? .infinity) }
        }
        let now = reading.position
        switch direction {
        case .left: return pan(place(now.pan, -1, limits?.minPan, limits?.maxPan))
        case .right: return pan(place(now.pan, 1, limits?.minPan, limits?.maxPan))
        case .down: return tilt(place(now.tilt, -1, limits?.minTilt, limits?.maxTilt))
        case .up: return tilt(place(now.tilt, 1, limits?.minTilt, limits?.maxTilt))
        default: return nil
        }
        func pan(_ degrees: Double?) -> MotorPosition? {
            abilities.goesToPan ? degrees.map { MotorPosition(pan: $0) } : nil
        }
        func tilt(_ degrees: Double?) -> MotorPosition? {
            abilities.goesToTilt ? degrees.map { MotorPosition(tilt: $0) } : nil
        }
    }

    private func check(_ directions: [PTZDirection]) throws(PTZRefusal) {
        guard (1...PTZCommand.maximumDirections).contains(directions.count) else {
            throw .badCommand("give 1 to \(PTZCommand.maximumDirections) directions")
        }
        for direction in directions {
            guard abilities.directions.contains(direction) else {
                throw .unsupported("this head cannot move \(direction.rawValue)")
            }
            guard !directions.contains(direction.opposite) else {
                throw .badCommand("\(direction.rawValue) and \(direction.opposite.rawValue) exclude each other")
            }
        }
    }

    private mutating func go(
        _ target: MotorPosition, _ holder: MotionHolder, _ now: MediaTime
    ) throws(PTZRefusal) -> [MotorOrder] {
        let limits = settings.limits
        let axes: [(name: String, value: Double?, can: Bool, range: ClosedRange<Double>)] = [
            ("pan", target.pan, abilities.goesToPan, (limits?.minPan ?? -180)...(limits?.maxPan ?? 180)),
            ("tilt", target.tilt, abilities.goesToTilt, (limits?.minTilt ?? -90)...(limits?.maxTilt ?? 90)),
            ("zoom", target.zoom, abilities.goesToZoom, 1...Self.maximumZoom),
        ].filter { $0.value != nil }
        guard !axes.isEmpty else { throw .badCommand("give pan, tilt or zoom") }
        for axis in axes {
            guard axis.can else { throw .unsupported("this head cannot go to a \(axis.name)") }
            guard let value = axis.value, axis.range.contains(value) else {
                throw .badCommand(
                    "\(axis.name) is \(axis.range.lowerBound) to \(axis.range.upperBound), not \(axis.value ?? 0)")
            }
        }
        try requirePosition()
        return travel([.go(target)], for: holder, at: now)
    }

    /// Magnification beyond which nobody asks in earnest.
    private static let maximumZoom = 100.0

    private func requirePosition() throws(PTZRefusal) {
        guard !abilities.needsPosition || (hasPan && hasTilt) else { throw .positionUnknown }
    }

    private var hasPan: Bool { !abilities.goesToPan || reading.position.pan != nil }
    private var hasTilt: Bool { !abilities.goesToTilt || reading.position.tilt != nil }

    // MARK: Presets

    private static func checked(_ number: Int) throws(PTZRefusal) -> Int {
        guard (1...PTZCommand.maximumPreset).contains(number) else {
            throw .badCommand("a preset is 1 to \(PTZCommand.maximumPreset), not \(number)")
        }
        return number
    }

    private mutating func setPreset(_ number: Int) throws(PTZRefusal) -> [MotorOrder] {
        let number = try Self.checked(number)
        if abilities.keepsPresets {
            presets[number] = MotorPosition()
            return [.setPreset(number)]
        }
        try requirePosition()
        presets[number] = reading.position
        return []
    }

    private func orderToPreset(_ number: Int) throws(PTZRefusal) -> MotorOrder {
        let number = try Self.checked(number)
        // The head may have presets that it was given before it came to us.
        if abilities.keepsPresets { return .callPreset(number) }
        guard let target = presets[number] else { throw .noSuchPreset(number) }
        try requirePosition()
        return .go(target)
    }

    private mutating func startPatrol(_ list: [Int]?, _ now: MediaTime) throws(PTZRefusal) -> [MotorOrder] {
        let list = list ?? Array(presets.keys.sorted().prefix(Self.maximumPatrolLength))
        guard (2...Self.maximumPatrolLength).contains(list.count) else {
            throw .badCommand("a patrol has 2 to \(Self.maximumPatrolLength) presets, not \(list.count)")
        }
        for number in list { _ = try orderToPreset(number) }
        let order = try orderToPreset(list[0])
        let orders = travel([order], for: nil, at: now)
        patrol = Patrol(presets: list)
        return orders
    }

    // MARK: Beginning and ending motions

    private mutating func move(
        _ directions: [PTZDirection], _ speed: Double, _ holder: MotionHolder, until deadline: MediaTime, isStep: Bool
    ) -> [MotorOrder] {
        patrol = nil
        wanted = directions
        let velocity = MotorVelocity(directions, speed: speed).without(blocked)
        guard velocity != .zero else { return activity == .rest ? [] : stop(because: .end) }
        var isRepeat = false
        if case .move(velocity, holder, _, isStep) = activity { isRepeat = true }
        activity = .move(velocity, holder: holder, deadline: deadline, isStep: isStep)
        // A repeat renews the time and disturbs no ramp.
        if isRepeat { return [] }
        counters.moves += 1
        return [.move(velocity)]
    }

    private mutating func travel(_ orders: [MotorOrder], for holder: MotionHolder?, at now: MediaTime) -> [MotorOrder] {
        patrol = nil
        counters.moves += 1
        activity = .travel(holder: holder, deadline: now + settings.travelLimit)
        return orders
    }

    private mutating func release() -> [MotorOrder] {
        wanted = []
        return stop(because: .command)
    }

    /// Comes to rest, whatever it is doing, and tells the motor even if it should be at rest.
    package mutating func stop(because cause: PTZStopCause) -> [MotorOrder] {
        if activity != .rest || patrol != nil { counters.stops[cause, default: 0] += 1 }
        if cause == .fault { counters.faults += 1 }
        activity = .rest
        patrol = nil
        return [.stop]
    }

    // MARK: Everything else that happens

    /// Who commanded is gone.
    package mutating func lost(_ holder: MotionHolder) -> [MotorOrder] {
        switch activity {
        case .move(_, holder, _, _), .travel(.some(holder), _): stop(because: .holderLost)
        default: []
        }
    }

    /// What the motor says of itself, after it was given all orders so far.
    package mutating func observe(_ reading: MotorReading, at now: MediaTime) -> [MotorOrder] {
        self.reading = reading
        switch activity {
        case .rest: return []
        case .move(let velocity, let holder, let deadline, let isStep):
            let rest = velocity.without(blocked)
            if rest == velocity { return [] }
            if rest == .zero { return stop(because: .end) }
            activity = .move(rest, holder: holder, deadline: deadline, isStep: isStep)
            return [.move(rest)]
        case .travel: return reading.isMoving ? [] : arrive(at: now)
        }
    }

    private mutating func arrive(at now: MediaTime) -> [MotorOrder] {
        guard patrol != nil else { return stop(because: .arrived) }
        activity = .rest
        patrol?.dwellsUntil = now + settings.dwell
        return [.stop]
    }

    /// What is due by now ends.
    package mutating func expire(at now: MediaTime) -> [MotorOrder] {
        guard let deadline = nextDeadline, deadline <= now else { return [] }
        if case .move(_, _, _, isStep: true) = activity { return stop(because: .arrived) }
        if activity == .rest { return continuePatrol(at: now) }
        return stop(because: .timeLimit)
    }

    private mutating func continuePatrol(at now: MediaTime) -> [MotorOrder] {
        guard var patrol else { return [] }
        patrol.next = (patrol.next + 1) % patrol.presets.count
        patrol.dwellsUntil = nil
        // A preset may have been cleared meanwhile.
        guard let order = try? orderToPreset(patrol.presets[patrol.next]) else { return stop(because: .command) }
        let orders = travel([order], for: nil, at: now)
        self.patrol = patrol
        return orders
    }
}
