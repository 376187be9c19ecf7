/// One channel: its devices and its streams.
package struct ChannelReport: Codable, Sendable, Hashable {
    package var channel: Int
    package var name: String
    package var camera: DeviceReport
    package var microphone: DeviceReport
    package var streams: [StreamReport]
    /// Nil where the channel has no head that turns.
    package var ptz: HeadReport?

    package init(
        channel: Int, name: String, camera: DeviceReport, microphone: DeviceReport, streams: [StreamReport],
        ptz: HeadReport? = nil
    ) {
        self.channel = channel
        self.name = name
        self.camera = camera
        self.microphone = microphone
        self.streams = streams
        self.ptz = ptz
    }
}

/// A camera or a microphone.
package struct DeviceReport: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case none, opening, running, lost, absent, stopped
    }

    /// Why a device is not to be had, where the system says so.
    package enum Cause: String, Codable, Sendable, CaseIterable {
        case notThere, notPermitted, busy
    }

    /// How loud a microphone was over the last seconds, ten at most.
    package struct Sound: Codable, Sendable, Hashable {
        /// Decibels below full scale, 0 at most; -120 is silence.
        package var peakDecibels: Double
        package var rmsDecibels: Double
        /// Parts of all samples that stand at an end of the scale.
        package var clipped: Double

        package init(peakDecibels: Double, rmsDecibels: Double, clipped: Double) {
            self.peakDecibels = peakDecibels
            self.rmsDecibels = rmsDecibels
            self.clipped = clipped
        }
    }

    package var state: State
    package var device: String
    package var detail: String
    package var cause: Cause?
    /// Since the last change of `state`.
    package var sinceSeconds: Double
    /// Pictures, or samples per channel.
    package var captured: Int
    package var dropped: Int
    package var reconnects: Int
    /// Microphones only; nil for cameras.
    package var overruns: Int?
    package var silenceMilliseconds: Int?
    package var driftPartsPerMillion: Double?
    /// Nil before its first second, too.
    package var sound: Sound?

    package init(
        state: State, device: String, detail: String, cause: Cause? = nil, sinceSeconds: Double, captured: Int = 0,
        dropped: Int = 0,
        reconnects: Int = 0, overruns: Int? = nil, silenceMilliseconds: Int? = nil,
        driftPartsPerMillion: Double? = nil, sound: Sound? = nil
    ) {
        self.state = state
        self.device = device
        self.detail = detail
        self.cause = cause
        self.sinceSeconds = sinceSeconds
        self.captured = captured
        self.dropped = dropped
        self.reconnects = reconnects
        self.overruns = overruns
        self.silenceMilliseconds = silenceMilliseconds
        self.driftPartsPerMillion = driftPartsPerMillion
        self.sound = sound
    }
}

/// One encoded stream of a channel.
package struct StreamReport: Codable, Sendable, Hashable {
    package var stream: CodeStream
    package var encoding: Bool
    package var width: Int
    package var height: Int
    /// Pictures a second, measured over the last second; 0 while nothing is encoded.
    package var frameRate: Double
    /// Bits a second, measured likewise.
    package var bitrate: Int
    /// Bits a second the encoder aims at.
    package var targetBitrate: Int
    package var videoFrames: Int
    package var audioFrames: Int
    package var keyFrames: Int
    /// Pictures the encoder was too slow for.
    package var overruns: Int
    package var subscribers: Int
    /// How long encoding took; older agents do not say.
    package var encodeTimes: EncodeTimes?

    /// All pictures since the channel began.
    package struct EncodeTimes: Codable, Sendable, Hashable {
        package struct Bucket: Codable, Sendable, Hashable {
            package var microseconds: Int
            /// Pictures that took no longer.
            package var pictures: Int

            package init(microseconds: Int, pictures: Int) {
                self.microseconds = microseconds
                self.pictures = pictures
            }
        }

        package var pictures: Int
        package var seconds: Double
        package var buckets: [Bucket]

        package init(pictures: Int, seconds: Double, buckets: [Bucket]) {
            self.pictures = pictures
            self.seconds = seconds
            self.buckets = buckets
        }
    }

    package init(
        stream: CodeStream, encoding: Bool, width: Int, height: Int, frameRate: Double, bitrate: Int,
        targetBitrate: Int, videoFrames: Int, audioFrames: Int, keyFrames: Int, overruns: Int, subscribers: Int,
        encodeTimes: EncodeTimes? = nil
    ) {
        self.stream = stream
        self.encoding = encoding
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.bitrate = bitrate
        self.targetBitrate = targetBitrate
        self.videoFrames = videoFrames
        self.audioFrames = audioFrames
        self.keyFrames = keyFrames
        self.overruns = overruns
        self.subscribers = subscribers
        self.encodeTimes = encodeTimes
    }
}

/// The two streams of a channel, as the control API calls them.
package enum CodeStream: String, Codable, Sendable, CaseIterable {
    case main, sub
}

/// Which tracks of a stream are meant.
package enum DataType: String, Codable, Sendable, CaseIterable {
    case av, video, audio
}
