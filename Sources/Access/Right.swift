/// What somebody may do: the one vocabulary of tokens, tickets and signed addresses, over every transport.
package enum Right: String, Sendable, Hashable, CaseIterable {
    /// Live pictures and sound.
    case live
    /// Lists of recordings, and playing them.
    case playback
    /// Recorded files as they are.
    case download
    /// The device's speaker.
    case talk
    /// Heads that turn.
    case ptz
    /// Commands that only tell: states and lists of channels.
    case command
    /// User commands: settings, privacy, and what an integrator adds. Heads, too.
    case control
    /// What monitoring reads.
    case metrics
    /// Everything, and who else may come in.
    case admin

    /// What viewers can be given: all but what is for whoever looks after the device.
    package static let ofViewers: Set<Right> = [.live, .playback, .download, .talk, .ptz, .command, .control]
    /// What a viewer needs that only watches.
    package static let ofWatchers: Set<Right> = [.live, .playback, .download, .command]

    /// One who holds any of these may do it.
    var holders: [Right] {
        switch self {
        case .ptz: [.ptz, .control, .admin]
        case .admin: [.admin]
        case .live, .playback, .download, .talk, .command, .control, .metrics: [self, .admin]
        }
    }
}
