import Streaming

/// What somebody commanded to be pushed. Two requests with equal values are the same push.
package struct PushRequest: Sendable, Hashable {
    package var channel: Int
    package var quality: StreamQuality
    package var tracks: TrackSelection
    package var target: PushTarget
    /// Milliseconds; where the stream's clock starts. Other than 0 only to try how a service takes it.
    package var startTimestamp: UInt32
    /// A platform that commanded it; nobody else's command joins it then.
    package var owner: PushOwner?

    package init(
        channel: Int, quality: StreamQuality, tracks: TrackSelection = .all, target: PushTarget,
        startTimestamp: UInt32 = 0, owner: PushOwner? = nil
    ) {
        self.channel = channel
        self.quality = quality
        self.tracks = tracks
        self.target = target
        self.startTimestamp = startTimestamp
        self.owner = owner
    }

    /// Whether a second command for `other` joins this push.
    package func isSamePush(as other: PushRequest) -> Bool {
        owner == nil && other.owner == nil && channel == other.channel && quality == other.quality
            && tracks == other.tracks && target == other.target
    }
}

/// Whose push it is, and which one of them.
package struct PushOwner: Sendable, Hashable {
    package let name: String
    package let token: UInt64

    package init(name: String, token: UInt64) {
        self.name = name
        self.token = token
    }
}
