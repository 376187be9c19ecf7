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
    /// More commands wait than may, or a stop came before this one was carried out.
    case overtaken
    /// The agent is stopping, or the head's settings have changed.
    case closed

    package var description: String {
        switch self {
        case .badCommand(let reason), .unsupported(let reason): reason
        case .positionUnknown: "the head does not know its position; send it home first"
        case .noSuchPreset(let number): "there is no preset \(number)"
        case .unavailable(let reason): reason
        case .overtaken: "a stop came first"
        case .closed: "the head is being shut down"
        }
    }
}
