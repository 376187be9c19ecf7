/// What a ticket to be made allows.
package struct TicketOrder: Codable, Sendable, Hashable {
    package static let defaultSeconds = 300
    /// Where nothing is said, how long it holds; a day at most.
    package var seconds: Int?
    /// Nil for all channels.
    package var channel: Int?
    /// live, playback, download, talk, command, control; nil for all.
    package var rights: [String]?

    package init(seconds: Int? = nil, channel: Int? = nil, rights: [String]? = nil) {
        self.seconds = seconds
        self.channel = channel
        self.rights = rights
    }
}

/// A ticket for a viewer.
package struct TicketReport: Codable, Sendable, Hashable {
    /// As viewers are given it.
    package var ticket: String
    /// Seconds since 1970.
    package var expires: Int64

    package init(ticket: String, expires: Int64) {
        self.ticket = ticket
        self.expires = expires
    }
}
