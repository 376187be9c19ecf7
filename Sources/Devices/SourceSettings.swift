import Media

/// Where a channel's pictures come from.
package struct CameraSettings: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// A V4L2 node, best by a stable path such as /dev/v4l/by-path/…; "auto" is the first camera that works.
        case v4l2(device: String)
        /// A moving picture with a readable frame counter, made here.
        case synthetic
        /// A YUV4MPEG2 file, over and over.
        case file(path: String)
        /// A channel without pictures.
        case none
    }

    package enum PowerLineFrequency: Int, Sendable, CaseIterable {
        case disabled = 0
        case hz50 = 1
        case hz60 = 2
        case auto = 3
    }

    package var source: Source
    /// What the device is asked for; the nearest it has is taken, and scaled to what a stream wants.
    package var size: PictureSize
    package var frameRate: Double
    /// Controls by their V4L2 meaning; nil leaves the device as it is. Values are in the device's own range.
    package var brightness: Int?
    package var contrast: Int?
    package var saturation: Int?
    package var horizontalFlip: Bool?
    package var verticalFlip: Bool?
    package var powerLineFrequency: PowerLineFrequency?
    /// Any other control, by number (as `v4l2-ctl --list-ctrls` prints it) and value.
    package var otherControls: [UInt32: Int] = [:]

    package init(
        source: Source, size: PictureSize = PictureSize(width: 1280, height: 720), frameRate: Double = 25
    ) {
        self.source = source
        self.size = size
        self.frameRate = frameRate
    }
}

/// Where a channel's sound comes from.
package struct MicrophoneSettings: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// An ALSA capture device such as "default" or "hw:CARD=Loopback,DEV=1"; "auto" is the first that works.
        case alsa(device: String)
        /// A tone, and a click in step with the synthetic camera's flash.
        case synthetic
        /// A 16-bit WAV file, over and over.
        case file(path: String)
        case none
    }

    package var source: Source
    /// Samples a second, 8000 to 48000.
    package var rate: Int
    /// 1 or 2.
    package var channels: Int
    /// How much too fast the synthetic microphone's clock runs, in millionths. For tests of the clock's correction.
    package var syntheticDrift: Double = 0

    package init(source: Source, rate: Int = 16000, channels: Int = 1) {
        self.source = source
        self.rate = rate
        self.channels = channels
    }
}
