import Motion
import PlatformProtocol

/// What a platform wants a channel's head to do.
package struct PlatformMove: Sendable, Hashable {
    package enum Motion: Sendable, Hashable {
        case stop
        /// Speed 0…1.
        case up(Double)
        case down(Double)
        case left(Double)
        case right(Double)
        case focusFar, focusNear
        case irisOpen, irisClose
        case zoomIn, zoomOut
        case wiper(Bool)
        case infrared(Bool)
    }

    package let serial: UInt16
    package let id: UInt16
    package let channelID: Int
    package let motion: Motion
}

extension PlatformMove.Motion {
    /// - Returns: what the platform is answered.
    func perform(by head: any PTZControl, for holder: MotionHolder) async -> JT808Result {
        let command: PTZCommand =
            switch self {
            case .stop: .release
            case .up(let speed): .press([.up], speed: speed)
            case .down(let speed): .press([.down], speed: speed)
            case .left(let speed): .press([.left], speed: speed)
            case .right(let speed): .press([.right], speed: speed)
            case .focusFar: .step(.focusFar)
            case .focusNear: .step(.focusNear)
            case .irisOpen: .step(.irisOpen)
            case .irisClose: .step(.irisClose)
            case .zoomIn: .step(.zoomIn)
            case .zoomOut: .step(.zoomOut)
            case .wiper(let isOn): .auxiliary(Self.wiper, isOn: isOn)
            case .infrared(let isOn): .auxiliary(Self.infrared, isOn: isOn)
            }
        do throws(PTZRefusal) {
            _ = try await head.perform(command, for: holder)
            return .done
        } catch {
            return switch error {
            case .unsupported: .unsupported
            case .badCommand: .badMessage
            default: .failed
            }
        }
    }

    /// The head's auxiliary switches that these are wired to.
    private static let wiper = 1
    private static let infrared = 2
}
