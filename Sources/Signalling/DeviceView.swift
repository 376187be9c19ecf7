import Imaging
import Motion
import Streaming

/// A channel as viewers may know it.
package struct SignalledChannel: Sendable, Hashable {
    package var id: Int
    package var name: String
    package var hasVideo: Bool
    package var hasAudio: Bool
    package var qualities: Set<StreamQuality>

    package init(id: Int, name: String, hasVideo: Bool, hasAudio: Bool, qualities: Set<StreamQuality>) {
        self.id = id
        self.name = name
        self.hasVideo = hasVideo
        self.hasAudio = hasAudio
        self.qualities = qualities
    }
}

/// The device, as commands see it and change it. Looking is quick; from any thread or task.
package protocol DeviceView: Sendable {
    var channels: [SignalledChannel] { get }
    /// Its camera, or its microphone where it has no camera, works or is in privacy.
    func isOnline(_ channel: Int) -> Bool
    /// Privacy: no picture and no sound is taken.
    var isStandby: Bool { get }
    /// Something is recorded here, or ever was.
    var hasRecordings: Bool { get }
    /// Whether somebody talks; nil where the device has nothing to talk through.
    var isTalking: Bool? { get }
    var version: String { get }
    /// Of the radio, in percent; nil where there is none.
    var signalStrength: Int? { get }
    /// Nil where the channel has no head that turns.
    func head(of channel: Int) -> (any PTZControl)?
    /// Returns when it is so, and is remembered.
    /// - Returns: false where it cannot be remembered.
    func setStandby(_ isStandby: Bool) async -> Bool
    func setOrientation(_ orientation: PictureOrientation, channel: Int) async -> Bool
}
