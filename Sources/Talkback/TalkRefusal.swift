/// Why nobody can talk now.
package enum TalkRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Somebody else talks.
    case busy(TalkHolder)
    /// As many are connected as may be.
    case deviceFull
    /// The configuration names no speaker.
    case noSpeaker
    /// The speaker does not open; the text says why.
    case speakerUnavailable(String)
    case agentStops

    package var description: String {
        switch self {
        case .busy: "somebody else is talking"
        case .deviceFull: "as many viewers are connected as may be"
        case .noSpeaker: "this device has no speaker (talk.speaker)"
        case .speakerUnavailable(let reason): "the speaker does not open: \(reason)"
        case .agentStops: "the agent stops"
        }
    }
}
