/// Why a head does not do what it was told.
package enum PTZRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The command makes no sense: directions that exclude each other, a number outside its range.
    case badCommand(String)
    /// This head cannot do that.
    case unsupported(String)
    /// It does not know where it is; `home` finds out.
    case positionUnknown
    case noSuchPreset(Int)
    /// The motor cannot be reached.
    case unavailable(String)
    /// Another command came before this one was carried out, or since the one that it renews.
    case overtaken
    /// The agent is stopping, or the head's settings have changed.
    case closed

    package var description: String {
        switch self {
        case .badCommand(let reason), .unsupported(let reason): reason
        case .positionUnknown: "the head does not know its position; send it home first"
        case .noSuchPreset(let number): "there is no preset \(number)"
        case .unavailable(let reason): reason
        case .overtaken: "another command came first"
        case .closed: "the head is being shut down"
        }
    }
}
