import ControlProtocol
import Glibc
import Media
import Motion
import Streaming

/// What the rooms know, in the words of the control API.
extension ChannelReport {
    init(_ status: ChannelStatus, head: PTZReport?, now: MediaTime) {
        self.init(
            channel: status.id, name: status.name, camera: DeviceReport(status.camera, isCamera: true, now: now),
            microphone: DeviceReport(status.microphone, isCamera: false, now: now),
            streams: status.streams.map(StreamReport.init), ptz: head.map(HeadReport.init))
    }
}

extension DeviceReport {
    init(_ status: DeviceStatus, isCamera: Bool, now: MediaTime) {
        self.init(
            state: State(status.state), device: status.device, detail: status.detail,
            cause: status.cause.flatMap { Cause(rawValue: $0.rawValue) }, sinceSeconds: (now - status.since).seconds,
            captured: status.captured, dropped: status.dropped,
            reconnects: status.reconnects, overruns: isCamera ? nil : status.overruns,
            silenceMilliseconds: isCamera ? nil : Int(status.silence.milliseconds),
            driftPartsPerMillion: isCamera ? nil : status.drift, sound: status.level.map(Sound.init))
    }
}

extension DeviceReport.Sound {
    init(_ level: SoundLevel) {
        func decibels(_ part: Double) -> Double { part <= 1e-6 ? -120 : (200 * log10(part)).rounded() / 10 }
        self.init(
            peakDecibels: decibels(level.peak), rmsDecibels: decibels(level.rms), clipped: level.clipped)
    }
}

extension DeviceReport.State {
    init(_ state: DeviceState) {
        self =
            switch state {
            case .none: .none
            case .opening: .opening
            case .running: .running
            case .lost: .lost
            case .absent: .absent
            case .stopped: .stopped
            }
    }
}

extension StreamReport {
    init(_ status: StreamStatus) {
        let numbers = status.statistics
        self.init(
            stream: CodeStream(status.quality), encoding: status.isEncoding, width: status.size.width,
            height: status.size.height, frameRate: status.isEncoding ? numbers.frameRate : 0,
            bitrate: status.isEncoding ? numbers.bitrate : 0, targetBitrate: status.targetBitrate,
            videoFrames: numbers.videoFrames, audioFrames: numbers.audioFrames, keyFrames: numbers.keyFrames,
            overruns: status.overruns, subscribers: numbers.subscribers,
            encodeTimes: EncodeTimes(status.encodeTimes))
    }
}

extension StreamReport.EncodeTimes {
    init(_ times: EncodeHistogram) {
        self.init(
            pictures: times.count, seconds: times.seconds,
            buckets: zip(EncodeHistogram.bounds, times.cumulative).map { Bucket(microseconds: $0, pictures: $1) })
    }
}

extension StageReport {
    init(_ times: StageTimes) {
        let stage: Stage =
            switch times.stage {
            case .camera: .camera
            case .prepare: .prepare
            case .wait: .wait
            case .encode: .encode
            case .publish: .publish
            case .deliver: .deliver
            }
        self.init(
            stage: stage, median: times.median, p99: times.p99, maximum: times.maximum, pictures: times.pictures)
    }
}

extension CodeStream {
    init(_ quality: StreamQuality) {
        self =
            switch quality {
            case .main: .main
            case .sub: .sub
            }
    }

    var quality: StreamQuality {
        switch self {
        case .main: .main
        case .sub: .sub
        }
    }
}
