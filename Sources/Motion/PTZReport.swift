/// How far a head may turn, in degrees.
package struct PTZLimits: Sendable, Hashable {
    package var minPan: Double
    package var maxPan: Double
    package var minTilt: Double
    package var maxTilt: Double

    package init(minPan: Double, maxPan: Double, minTilt: Double, maxTilt: Double) {
        self.minPan = minPan
        self.maxPan = maxPan
        self.minTilt = minTilt
        self.maxTilt = maxTilt
    }
}

/// How a head is doing.
package struct PTZReport: Sendable, Hashable {
    /// Degrees, right and up positive; nil while unknown.
    package var pan: Double?
    package var tilt: Double?
    package var zoom: Double?
    package var limits: PTZLimits?
    package var isMoving = false
    /// It has come to an end of its travel: the specification's `apex`.
    package var isAtEnd = false
    package var isPatrolling = false
    /// The presets there are, in order.
    package var presets: [Int] = []
    /// Such as "pelco-d".
    package var driver: String
    /// What keeps it from working, with what to do about it; nil while it works.
    package var fault: String?
    package var counters = PTZCounters()
    /// How late steps are taken; nil where the driver takes none.
    package var jitter: StepJitter?

    package init(driver: String) { self.driver = driver }
}

/// What a head has done since the agent started.
package struct PTZCounters: Sendable, Hashable {
    /// Motions begun.
    package var moves = 0
    package var stops: [PTZStopCause: Int] = [:]
    /// Times that the driver failed.
    package var faults = 0

    package init() {}
}

/// Why a motor came to rest.
package enum PTZStopCause: String, Sendable, Hashable, CaseIterable {
    /// Somebody said so, or gave another command.
    case command
    /// Who held it is gone.
    case holderLost
    case timeLimit
    /// It is where it was sent to.
    case arrived
    /// An end switch or a soft limit.
    case end
    case shutdown
    case fault
}
