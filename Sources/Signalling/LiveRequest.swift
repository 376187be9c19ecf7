import Streaming

/// A request for a live stream: `action=live&channel=0&quality=high`.
package struct LiveRequest: Sendable, Hashable {
    package let channel: Int
    package let quality: StreamQuality

    package init(channel: Int, quality: StreamQuality) {
        self.channel = channel
        self.quality = quality
    }

    /// The parameters of `action=live`; channel and action were looked at already.
    init(channel: Int, _ query: RequestQuery) throws(RequestRefusal) {
        self.channel = channel
        guard let quality = Self.quality(query["quality"]) else {
            throw .notFound("there is no quality of this name; known are standard, high and super")
        }
        self.quality = quality
    }

    /// `standard` is the sub stream, `high` and `super` are the main one; no or an empty name means `high`.
    package static func quality(_ name: String?) -> StreamQuality? {
        switch name?.lowercased() {
        case nil, "", "high", "super": .main
        case "standard": .sub
        default: nil
        }
    }

    /// What a viewer asks for to get this stream.
    package static func name(of quality: StreamQuality) -> String {
        switch quality {
        case .main: "high"
        case .sub: "standard"
        }
    }
}
