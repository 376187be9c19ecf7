/// What a decoder must know before the first picture. A stream whose format changes sends the new one before an IDR.
package struct VideoFormat: Sendable, Hashable {
    /// Sequence and picture parameter sets, as NAL units without start code.
    package let sps: [UInt8]
    package let pps: [UInt8]
    package let size: PictureSize
    /// Pictures a second as configured; the real ones may differ (night mode), so this is only a hint.
    package let frameRate: Double
    /// Bits a second as configured; 0 where unknown.
    package let bitrate: Int

    package init(sps: [UInt8], pps: [UInt8], size: PictureSize, frameRate: Double, bitrate: Int) {
        self.sps = sps
        self.pps = pps
        self.size = size
        self.frameRate = frameRate
        self.bitrate = bitrate
    }
}

/// AAC-LC sound.
package struct AudioFormat: Sendable, Hashable {
    package let rate: Int
    package let channels: Int
    package let bitrate: Int

    package init(rate: Int, channels: Int, bitrate: Int) {
        self.rate = rate
        self.channels = channels
        self.bitrate = bitrate
    }

    /// Samples per channel in one AAC-LC frame.
    package static let samplesPerFrame = 1024
}

/// The tracks of one stream; nil where there is none.
package struct StreamFormat: Sendable, Hashable {
    package var video: VideoFormat?
    package var audio: AudioFormat?

    package init(video: VideoFormat? = nil, audio: AudioFormat? = nil) {
        self.video = video
        self.audio = audio
    }
}
