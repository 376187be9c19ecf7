import Devices
import Media

/// What a head tells its motor.
package enum MotorOrder: Sendable, Hashable {
    /// Comes to rest, as fast as the motor can without losing its position.
    case stop
    /// Until another order comes.
    case move(MotorVelocity)
    /// Degrees; what is nil stays.
    case go(MotorPosition)
    /// Finds out where it is.
    case home
    /// Presets that the motor keeps itself.
    case setPreset(Int)
    case callPreset(Int)
    case clearPreset(Int)
    case auxiliary(Int, isOn: Bool)
}

/// Parts of the fastest, -1…1; right, up, in, far and open are positive.
package struct MotorVelocity: Sendable, Hashable {
    package var pan = 0.0
    package var tilt = 0.0
    package var zoom = 0.0
    package var focus = 0.0
    package var iris = 0.0

    package static let zero = MotorVelocity()

    package init() {}

    package init(_ directions: some Sequence<PTZDirection>, speed: Double) {
        for direction in directions { self[keyPath: direction.axis] = speed * direction.sign }
    }

    /// Where it goes.
    package var directions: [PTZDirection] { PTZDirection.allCases.filter { self[keyPath: $0.axis] * $0.sign > 0 } }

    package func without(_ blocked: DirectionSet) -> MotorVelocity {
        guard !blocked.isEmpty else { return self }
        var rest = self
        for direction in directions where blocked.contains(direction) { rest[keyPath: direction.axis] = 0 }
        return rest
    }
}

extension PTZDirection {
    fileprivate var axis: WritableKeyPath<MotorVelocity, Double> {
        switch self {
        case .left, .right: \.pan
        case .up, .down: \.tilt
        case .zoomIn, .zoomOut: \.zoom
        case .focusNear, .focusFar: \.focus
        case .irisOpen, .irisClose: \.iris
        }
    }

    fileprivate var sign: Double {
        switch self {
        case .right, .up, .zoomIn, .focusFar, .irisOpen: 1
        case .left, .down, .zoomOut, .focusNear, .irisClose: -1
        }
    }
}

/// Where a head looks: degrees, right and up positive, and the magnification of its lens.
package struct MotorPosition: Sendable, Hashable {
    package var pan: Double?
    package var tilt: Double?
    package var zoom: Double?

    package init(pan: Double? = nil, tilt: Double? = nil, zoom: Double? = nil) {
        self.pan = pan
        self.tilt = tilt
        self.zoom = zoom
    }
}

/// What a motor says of itself.
package struct MotorReading: Sendable, Hashable {
    package var position: MotorPosition
    package var isMoving: Bool
    /// Where it cannot go on: at an end switch, or a limit of its own.
    package var ends: DirectionSet

    package init(position: MotorPosition = MotorPosition(), isMoving: Bool = false, ends: DirectionSet = []) {
        self.position = position
        self.isMoving = isMoving
        self.ends = ends
    }
}

/// What a kind of motor can do.
package struct MotorAbilities: Sendable, Hashable {
    package var directions: Set<PTZDirection>
    /// It goes to a position, and of which axes.
    package var goesToPan = false
    package var goesToTilt = false
    package var goesToZoom = false
    /// It cannot go anywhere before it knows where it is.
    package var needsPosition = false
    package var homes = false
    /// Presets are kept in the head, not by the agent.
    package var keepsPresets = false
    package var hasAuxiliaries = false

    package init(directions: Set<PTZDirection>) { self.directions = directions }
}

/// A motor, or what speaks to one. Made, used and closed on the head's own thread, and may hold that up for 100 ms at
/// most.
package protocol MotorDriver: AnyObject {
    var reading: MotorReading { get }
    /// How late steps are taken; nil where it takes none.
    var jitter: StepJitter? { get }
    /// Returns when the motor can be commanded and was told to stop.
    func open(at now: MediaTime) throws(DeviceError)
    func carryOut(_ order: MotorOrder, at now: MediaTime) throws(DeviceError)
    /// Does what is due.
    /// - Returns: when it has to do something next, whatever is ordered; nil for not by itself.
    func advance(to now: MediaTime) throws(DeviceError) -> MediaTime?
    /// Stops the motor and lets it go.
    func close()
}

extension MotorDriver {
    package var jitter: StepJitter? { nil }
}
