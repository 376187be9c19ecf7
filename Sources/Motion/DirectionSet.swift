/// Directions, in a form that is looked at with every step.
package struct DirectionSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ direction: PTZDirection) { self.init(rawValue: 1 << direction.bit) }

    package static let up = DirectionSet(.up)
    package static let down = DirectionSet(.down)
    package static let left = DirectionSet(.left)
    package static let right = DirectionSet(.right)
    package static let zoomIn = DirectionSet(.zoomIn)
    package static let zoomOut = DirectionSet(.zoomOut)

    package func contains(_ direction: PTZDirection) -> Bool { rawValue >> direction.bit & 1 == 1 }
    package mutating func insert(_ direction: PTZDirection) { formUnion(DirectionSet(direction)) }
}

extension PTZDirection {
    fileprivate var bit: UInt16 {
        switch self {
        case .up: 0
        case .down: 1
        case .left: 2
        case .right: 3
        case .zoomIn: 4
        case .zoomOut: 5
        case .focusNear: 6
        case .focusFar: 7
        case .irisOpen: 8
        case .irisClose: 9
        }
    }
}
