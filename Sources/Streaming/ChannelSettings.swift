import Codecs
import Devices
import Imaging
import Media

/// The two qualities of a channel.
package enum StreamQuality: String, Sendable, Hashable, CaseIterable {
    case main
    case sub
}

/// Everything that makes a channel what it is.
package struct ChannelSettings: Sendable, Hashable {
    package var id: Int
    package var name: String
    package var camera: CameraSettings
    package var microphone: MicrophoneSettings
    package var main: VideoEncoderSettings
    /// Nil where the channel has one stream only.
    package var sub: VideoEncoderSettings?
    /// Rate and channels are the microphone's.
    package var audio: AudioEncoderSettings
    package var overlay: OverlaySettings?
    /// How long encoding goes on after the last consumer left, in seconds.
    package var linger: Double = 5

    package init(
        id: Int, name: String, camera: CameraSettings, microphone: MicrophoneSettings, main: VideoEncoderSettings,
        sub: VideoEncoderSettings?, audio: AudioEncoderSettings, overlay: OverlaySettings? = nil
    ) {
        self.id = id
        self.name = name
        self.camera = camera
        self.microphone = microphone
        self.main = main
        self.sub = sub
        self.audio = audio
        self.overlay = overlay
    }

    package var hasVideo: Bool { camera.source != .none }
    package var hasAudio: Bool { microphone.source != .none }
}
