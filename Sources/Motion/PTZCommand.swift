/// A way in which a head can move, or its lens.
package enum PTZDirection: String, Sendable, Hashable, CaseIterable {
    case up, down, left, right, zoomIn, zoomOut, focusNear, focusFar, irisOpen, irisClose

    package var opposite: PTZDirection {
        switch self {
        case .up: .down
        case .down: .up
        case .left: .right
        case .right: .left
        case .zoomIn: .zoomOut
        case .zoomOut: .zoomIn
        case .focusNear: .focusFar
        case .focusFar: .focusNear
        case .irisOpen: .irisClose
        case .irisClose: .irisOpen
        }
    }
}

/// What a head may be told. The newest command wins, whoever gave the one before it.
package enum PTZCommand: Sendable, Hashable {
    /// Moves until `release`, the loss of the holder or the time limit; a repeat renews that limit. Speed 0…1 of the
    /// fastest; 0 is a release.
    case press([PTZDirection], speed: Double)
    /// Renews the time limit of the holder's own press; refused once that has ended or another command has come.
    case renew
    /// Ends whatever moves, whoever holds it, a patrol too.
    case release
    case step(PTZDirection)
    /// Degrees; right and up are positive. What is nil stays as it is.
    case go(pan: Double?, tilt: Double?, zoom: Double?)
    /// 1…`maximumPreset`.
    case setPreset(Int)
    case callPreset(Int)
    case clearPreset(Int)
    /// To the switches or stops by which the head finds its position, then to 0°.
    case home
    /// Between these presets, or all there are, until another command comes. Goes on when its holder leaves.
    case startPatrol([Int]?)
    case stopPatrol
    /// 1…`maximumAuxiliary`: wiper, lamp, heater.
    case auxiliary(Int, isOn: Bool)

    /// It is for whoever gave it, and ends with that one.
    package var needsHolder: Bool {
        switch self {
        case .press, .renew, .step, .go, .callPreset, .home: !isRelease
        case .release, .setPreset, .clearPreset, .startPatrol, .stopPatrol, .auxiliary: false
        }
    }

    /// A press at no speed is one, too.
    package var isRelease: Bool {
        switch self {
        case .release: true
        case .press(_, let speed): speed == 0
        default: false
        }
    }

    package static let maximumPreset = 255
    package static let maximumAuxiliary = 8
    package static let maximumDirections = 5
}
