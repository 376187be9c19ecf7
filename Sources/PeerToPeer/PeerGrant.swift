/// What a viewer may do on its link.
package struct PeerGrant: Sendable, Hashable {
    package enum Right: String, Sendable, Hashable, CaseIterable {
        case live, playback, download, talk
        /// Inner commands: states and lists, and what steers an own playback.
        case command
        /// User commands: heads, settings.
        case control
    }

    package var rights: Set<Right>
    /// Nil for all channels.
    package var channel: Int?

    package init(rights: Set<Right>, channel: Int? = nil) {
        self.rights = rights
        self.channel = channel
    }

    package static let everything = PeerGrant(rights: Set(Right.allCases))

    package func allows(_ right: Right, channel: Int) -> Bool {
        rights.contains(right) && (self.channel ?? channel) == channel
    }
}
