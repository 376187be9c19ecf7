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

/// A channel in `/channels.json`, from which the page is built.
struct ChannelListing: Encodable, Sendable {
    let channel: Int
    let name: String
    let hasVideo: Bool
    let hasAudio: Bool
    /// Best first.
    let qualities: [String]

    init(_ channel: ViewableChannel) {
        self.channel = channel.id
        name = channel.name
        hasVideo = channel.hasVideo
        hasAudio = channel.hasAudio
        qualities = StreamQuality.allCases.filter { channel.hubs[$0] != nil }.map(LiveRequest.name(of:))
    }
}
