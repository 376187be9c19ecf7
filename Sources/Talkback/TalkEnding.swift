/// Why a talk ended.
package enum TalkEnding: Sendable, Hashable, CustomStringConvertible {
    /// The sender said that this was all.
    case finished
    /// The sender's connection is gone.
    case left
    /// Nothing came for too long.
    case idle
    /// The device hung up.
    case hungUp
    /// The same holder began anew.
    case replaced
    /// What came cannot be understood; the text says why.
    case broken(String)
    /// The speaker did not open; nobody heard a thing.
    case neverBegan
    case agentStops

    package var description: String {
        switch self {
        case .finished: "finished"
        case .left: "left"
        case .idle: "idle"
        case .hungUp: "hung up"
        case .replaced: "replaced"
        case .broken(let reason): "broken: \(reason)"
        case .neverBegan: "never began"
        case .agentStops: "agent stops"
        }
    }
}
