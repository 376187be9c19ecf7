/// A channel's head: where it looks and what it is doing.
package struct HeadReport: Codable, Sendable, Hashable {
    package struct Limits: Codable, Sendable, Hashable {
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

    /// How much later than planned a stepper's steps were taken, in microseconds.
    package struct Jitter: Codable, Sendable, Hashable {
        package var steps: Int
        package var p50: Int
        package var p99: Int
        package var maximum: Int

        package init(steps: Int, p50: Int, p99: Int, maximum: Int) {
            self.steps = steps
            self.p50 = p50
            self.p99 = p99
            self.maximum = maximum
        }
    }

    package var driver: String
    /// Degrees, right and up positive; nil while unknown.
    package var pan: Double?
    package var tilt: Double?
    /// Magnification.
    package var zoom: Double?
    package var limits: Limits?
    package var moving: Bool
    /// It has come to an end of its travel.
    package var atEnd: Bool
    package var patrolling: Bool
    package var presets: [Int]
    package var moves: Int
    /// By cause: command, holderLost, timeLimit, arrived, end, shutdown, fault.
    package var stops: [String: Int]
    package var faults: Int
    /// What keeps it from working.
    package var fault: String?
    package var jitter: Jitter?

    package init(
        driver: String, pan: Double? = nil, tilt: Double? = nil, zoom: Double? = nil, limits: Limits? = nil,
        moving: Bool, atEnd: Bool = false, patrolling: Bool = false, presets: [Int] = [], moves: Int = 0,
        stops: [String: Int] = [:], faults: Int = 0, fault: String? = nil, jitter: Jitter? = nil
    ) {
        self.driver = driver
        self.pan = pan
        self.tilt = tilt
        self.zoom = zoom
        self.limits = limits
        self.moving = moving
        self.atEnd = atEnd
        self.patrolling = patrolling
        self.presets = presets
        self.moves = moves
        self.stops = stops
        self.faults = faults
        self.fault = fault
        self.jitter = jitter
    }
}
