import Devices
import Media

/// How a device is doing.
package enum DeviceState: String, Sendable {
    /// The configuration names none.
    case none
    case opening
    case running
    /// It was there and went away, or gives no data any more; looked for again with growing pauses.
    case lost
    /// It was never there, or refuses; looked for again with growing pauses.
    case absent
    case stopped
}

package struct DeviceStatus: Sendable {
    package var state: DeviceState
    /// Such as "/dev/video0" or "synthetic".
    package var device: String
    /// What is captured, such as "NV12 1280x720 25/s", or why it is not.
    package var detail: String
    /// Why it is not running, where that says what to do.
    package var cause: DeviceError.Cause?
    /// Monotonic time of the last change of `state`.
    package var since: MediaTime
    /// Pictures, or samples per channel.
    package var captured = 0
    /// Pictures the driver or the agent had to drop.
    package var dropped = 0
    /// How often the device came back.
    package var reconnects = 0
    /// Sound only: overruns, silence put into holes, and how much too fast the sample clock runs.
    package var overruns = 0
    package var silence = MediaTime.zero
    package var drift = 0.0
    /// Sound only; nil before the first second of it.
    package var level: SoundLevel?

    package init(state: DeviceState, device: String, detail: String = "", since: MediaTime) {
        self.state = state
        self.device = device
        self.detail = detail
        self.since = since
    }
}

package struct StreamStatus: Sendable {
    package var quality: StreamQuality
    package var isEncoding: Bool
    package var size: PictureSize
    /// Pictures the encoder was too slow for.
    package var overruns: Int
    /// Bits a second the encoder aims at now, below the configured ones while a push lacks room.
    package var targetBitrate: Int
    package var statistics: StreamStatistics
    package var encodeTimes: EncodeHistogram
}

package struct ChannelStatus: Sendable {
    package var id: Int
    package var name: String
    package var camera: DeviceStatus
    package var microphone: DeviceStatus
    package var streams: [StreamStatus]
}
