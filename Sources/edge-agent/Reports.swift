import ControlProtocol
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
            sinceSeconds: (now - status.since).seconds, captured: status.captured, dropped: status.dropped,
            reconnects: status.reconnects, overruns: isCamera ? nil : status.overruns,
            silenceMilliseconds: isCamera ? nil : Int(status.silence.milliseconds),
            driftPartsPerMillion: isCamera ? nil : status.drift)
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
            overruns: status.overruns, subscribers: numbers.subscribers)
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
