import Media
import PlatformProtocol
import Streaming

/// The device as it is when something is decided: what a platform may ask for and get. A snapshot.
package struct TerminalView: Sendable, Hashable {
    package struct Stream: Sendable, Hashable {
        package var size: PictureSize
        package var frameRate: Double
        /// Bits a second.
        package var bitrate: Int
        /// Seconds.
        package var keyFrameInterval: Double

        package init(size: PictureSize, frameRate: Double, bitrate: Int, keyFrameInterval: Double) {
            self.size = size
            self.frameRate = frameRate
            self.bitrate = bitrate
            self.keyFrameInterval = keyFrameInterval
        }
    }

    package struct Channel: Sendable, Hashable {
        package var hasVideo: Bool
        package var hasAudio: Bool
        package var hasPTZ: Bool
        /// The camera was there and is not, or never was.
        package var isCameraLost: Bool
        package var main: Stream
        package var sub: Stream?

        package init(
            hasVideo: Bool, hasAudio: Bool, hasPTZ: Bool, isCameraLost: Bool, main: Stream, sub: Stream?
        ) {
            self.hasVideo = hasVideo
            self.hasAudio = hasAudio
            self.hasPTZ = hasPTZ
            self.isCameraLost = isCameraLost
            self.main = main
            self.sub = sub
        }
    }

    /// By the device's own numbers.
    package var channels: [Int: Channel] = [:]
    package var hasSpeaker = false
    package var isSomebodyTalking = false
    /// Pushes that could be opened now.
    package var roomForStreams = Int.max
    package var hasRecordings = false
    package var isStorageFaulty = false
    /// Milliseconds since 1970, UTC.
    package var wallClock: Int64 = 0
    package var position: PlatformSettings.Position?
    package var audioRate = 16000
    package var audioChannels = 1

    package init() {}
}
