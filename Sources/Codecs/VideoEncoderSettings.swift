import Media

/// How one H.264 stream is encoded.
package struct VideoEncoderSettings: Sendable, Hashable {
    package enum RateControl: Sendable, Hashable {
        /// Bits a second, held by a video buffering verifier of one second.
        case bitrate(Int)
        /// Constant rate factor, 0 (lossless) to 51.
        case quality(Double)
    }

    package var size: PictureSize
    /// Pictures a second.
    package var frameRate: Double
    /// ultrafast … placebo, as x264 names them.
    package var preset: String
    /// Such as zerolatency; several joined by commas.
    package var tune: String
    /// baseline, main or high.
    package var profile: String
    package var rateControl: RateControl
    /// Seconds from one key frame to the next.
    package var keyFrameInterval: Double
    /// Encoding threads; 0 lets x264 choose.
    package var threads: Int

    package init(
        size: PictureSize, frameRate: Double, preset: String = "veryfast", tune: String = "zerolatency",
        profile: String = "main", rateControl: RateControl, keyFrameInterval: Double = 2, threads: Int = 1
    ) {
        self.size = size
        self.frameRate = frameRate
        self.preset = preset
        self.tune = tune
        self.profile = profile
        self.rateControl = rateControl
        self.keyFrameInterval = keyFrameInterval
        self.threads = threads
    }

    package static let presets = [
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
    ]
    package static let tunes = [
        "zerolatency", "film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode",
    ]
    package static let profiles = ["baseline", "main", "high"]
}

/// How the sound is encoded: AAC-LC.
package struct AudioEncoderSettings: Sendable, Hashable {
    /// Samples a second: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or 48000.
    package var rate: Int
    /// 1 or 2.
    package var channels: Int
    /// Bits a second.
    package var bitrate: Int

    package init(rate: Int = 16000, channels: Int = 1, bitrate: Int = 32000) {
        self.rate = rate
        self.channels = channels
        self.bitrate = bitrate
    }
}
