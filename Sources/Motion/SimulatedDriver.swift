import Devices
import Media

/// A head that exists in memory only: its position is its speed over time. For demonstrations and tests.
package final class SimulatedDriver: MotorDriver {
    package struct Settings: Sendable, Hashable {
        /// Degrees a second at full speed.
        package var panRate = 60.0
        package var tiltRate = 30.0
        package var limits = PTZLimits(minPan: -180, maxPan: 180, minTilt: -45, maxTilt: 90)
        package var maximumZoom = 10.0

        package init() {}
    }

    package static func abilities(of settings: Settings) -> MotorAbilities {
        var abilities = MotorAbilities(directions: Set(PTZDirection.allCases))
        abilities.goesToPan = true
        abilities.goesToTilt = true
        abilities.goesToZoom = true
        abilities.needsPosition = true
        abilities.homes = true
        abilities.hasAuxiliaries = true
        return abilities
    }

    private enum Goal {
        case rest
        case move(MotorVelocity)
        case reach(MotorPosition)
    }

    /// How often a motion is looked at.
    private static let interval = MediaTime.milliseconds(20)
    /// Magnification a second.
    private static let zoomRate = 3.0

    private let settings: Settings
    private var pan: Double
    private var tilt: Double
    private var zoom: Double
    private var isKnown: Bool
    private var goal = Goal.rest
    private var last = MediaTime.zero

    /// - Parameter position: where it was left; with nil axes it does not know where it is.
    package init(_ settings: Settings, position: MotorPosition) {
        self.settings = settings
        pan = position.pan ?? 0
        tilt = position.tilt ?? 0
        zoom = position.zoom ?? 1
        isKnown = position.pan != nil && position.tilt != nil
    }

    package var reading: MotorReading {
        let isMoving = if case .rest = goal { false } else { true }
        var ends: DirectionSet = []
        if isKnown {
            if pan <= settings.limits.minPan { ends.insert(.left) }
            if pan >= settings.limits.maxPan { ends.insert(.right) }
            if tilt <= settings.limits.minTilt { ends.insert(.down) }
            if tilt >= settings.limits.maxTilt { ends.insert(.up) }
        }
        if zoom <= 1 { ends.insert(.zoomOut) }
        if zoom >= settings.maximumZoom { ends.insert(.zoomIn) }
        return MotorReading(
            position: MotorPosition(pan: isKnown ? pan : nil, tilt: isKnown ? tilt : nil, zoom: zoom),
            isMoving: isMoving, ends: ends)
    }

    package func open(at now: MediaTime) { last = now }

    package func carryOut(_ order: MotorOrder, at now: MediaTime) {
        _ = advance(to: now)
        switch order {
        case .stop: goal = .rest
        case .move(let velocity): goal = .move(velocity)
        case .go(let position): goal = .reach(position)
        case .home:
            isKnown = true
            goal = .reach(MotorPosition(pan: 0, tilt: 0))
        case .setPreset, .callPreset, .clearPreset, .auxiliary: break
        }
    }

    package func advance(to now: MediaTime) -> MediaTime? {
        let span = max((now - last).seconds, 0)
        last = now
        switch goal {
        case .rest: return nil
        case .move(let velocity): move(velocity, for: span)
        case .reach(let target): reach(target, within: span)
        }
        return now + Self.interval
    }

    package func close() { goal = .rest }

    private func move(_ velocity: MotorVelocity, for span: Double) {
        let limits = settings.limits
        pan = min(max(pan + velocity.pan * settings.panRate * span, limits.minPan), limits.maxPan)
        tilt = min(max(tilt + velocity.tilt * settings.tiltRate * span, limits.minTilt), limits.maxTilt)
        zoom = min(max(zoom + velocity.zoom * Self.zoomRate * span, 1), settings.maximumZoom)
    }

    private func reach(_ target: MotorPosition, within span: Double) {
        Self.approach(&pan, target.pan, settings.panRate * span)
        Self.approach(&tilt, target.tilt, settings.tiltRate * span)
        Self.approach(&zoom, target.zoom, Self.zoomRate * span)
        let isThere = pan == target.pan ?? pan && tilt == target.tilt ?? tilt && zoom == target.zoom ?? zoom
        if isThere { goal = .rest }
    }

    private static func approach(_ value: inout Double, _ target: Double?, _ most: Double) {
        guard let target else { return }
        value = abs(target - value) <= most ? target : value + (target < value ? -most : most)
    }
}
