import Streaming

/// A request for a live stream: `action=live&channel=0&quality=high`.
package struct LiveRequest: Sendable, Hashable {
    package let channel: Int
    package let quality: StreamQuality

    package init(channel: Int, quality: StreamQuality) {
        self.channel = channel
        self.quality = quality
    }

    /// Checks in the order that viewers rely on: channel, action, parameters.
    ///
    /// - Parameter hasChannel: whether there is a channel of this number.
    package init(_ query: RequestQuery, hasChannel: (Int) -> Bool) throws(RequestRefusal) {
        switch query.number("channel") {
        case .missing: channel = 0
        case .value(let number): channel = number
        case .unreadable: throw .notFound("the channel is not a number")
        }
        guard hasChannel(channel) else { throw .notFound("there is no channel \(channel)") }
        guard let action = query["action"], !action.isEmpty else {
            throw .notFound("the request names no action; action=live gives a live stream")
        }
        guard action.lowercased() == "live" else {
            throw .notFound("there is no action of this name; action=live gives a live stream")
        }
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
