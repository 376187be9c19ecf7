import Signalling
import Streaming

/// A channel as viewers know it.
package struct ViewableChannel: Sendable {
    package let id: Int
    package let name: String
    package let hasVideo: Bool
    package let hasAudio: Bool
    package let hubs: [StreamQuality: StreamHub]
    package let pictures: [StreamQuality: PictureFeed]
    /// Nil where it does not turn.
    package var head: ViewableHead?

    package init(
        id: Int, name: String, hasVideo: Bool, hasAudio: Bool, hubs: [StreamQuality: StreamHub],
        pictures: [StreamQuality: PictureFeed] = [:]
    ) {
        self.id = id
        self.name = name
        self.hasVideo = hasVideo
        self.hasAudio = hasAudio
        self.hubs = hubs
        self.pictures = pictures
    }
}

/// A head that turns, as the page needs to know it.
package struct ViewableHead: Encodable, Sendable {
    /// Whether its lens can be told to.
    package let zoom: Bool

    package init(zoom: Bool) { self.zoom = zoom }
}

/// A channel in `/channels.json`, from which the page is built.
struct ChannelListing: Encodable, Sendable {
    let channel: Int
    let name: String
    let hasVideo: Bool
    let hasAudio: Bool
    /// Best first.
    let qualities: [String]
    let ptz: ViewableHead?

    init(_ channel: ViewableChannel) {
        self.channel = channel.id
        name = channel.name
        hasVideo = channel.hasVideo
        hasAudio = channel.hasAudio
        ptz = channel.head
        qualities = StreamQuality.allCases.filter { channel.hubs[$0] != nil }.map(LiveRequest.name(of:))
    }
}
