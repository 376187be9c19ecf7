import Media
import PlatformProtocol

/// A link as it was at one moment.
package struct PlatformStatus: Sendable {
    package struct Stream: Sendable {
        package var stream: PlatformStreams.Stream
        /// The push that carries it.
        package var push: String?
    }

    package var name: String
    package var state: PlatformSession.State
    /// How long it has been in that state.
    package var since: MediaTime
    package var server: PlatformSettings.Server?
    package var phone: PhoneNumber
    package var version: JT808Version
    /// Why it is not online.
    package var detail: String
    package var counters: PlatformSession.Counters
    package var streams: [Stream]
}

/// Something that happened to a link, or to a stream that a platform has opened.
package struct PlatformEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case online = "platform.online"
        case offline = "platform.offline"
        case refused = "platform.refused"
        case stream = "platform.stream"
    }

    package var kind: Kind
    package var platform: String
    /// The device's own number.
    package var channel: Int?
    package var detail: String?

    package init(_ kind: Kind, platform: String, channel: Int? = nil, detail: String? = nil) {
        self.kind = kind
        self.platform = platform
        self.channel = channel
        self.detail = detail
    }
}
