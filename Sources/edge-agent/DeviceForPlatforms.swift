import Codecs
import Media
import Motion
import NIOPosix
import PlatformLink
import Recording
import Streaming
import Talkback

/// The device, as the links to platforms see it.
struct DeviceForPlatforms: PlatformDevice {
    let channels: ChannelSet
    let recording: RecordingService
    let footageThreads: NIOThreadPool
    let talkSlot: TalkSlot?
    /// The head of a channel that has one.
    let heads: @Sendable (Int) -> (any PTZControl)?
    let clock: any MediaClock

    func view() -> TerminalView {
        var view = TerminalView()
        let states = Dictionary(uniqueKeysWithValues: channels.statuses.map { ($0.id, $0.camera.state) })
        for channel in channels.settings {
            view.channels[channel.id] = TerminalView.Channel(
                hasVideo: channel.hasVideo, hasAudio: channel.hasAudio, hasPTZ: heads(channel.id) != nil,
                isCameraLost: [.lost, .absent].contains(states[channel.id]), main: .init(channel.main),
                sub: channel.sub.map(TerminalView.Stream.init))
        }
        if let first = channels.settings.first(where: \.hasAudio) {
            view.audioRate = first.microphone.rate
            view.audioChannels = first.microphone.channels
        }
        view.hasSpeaker = talkSlot != nil
        view.isSomebodyTalking = talkSlot?.current != nil
        let disk = recording.status.disk.state
        view.hasRecordings = disk != .idle
        view.isStorageFaulty = [.full, .readOnly, .missing, .failed].contains(disk)
        view.wallClock = SystemWallClock().read().milliseconds(at: clock.now())
        return view
    }

    func hub(_ channel: Int, _ quality: StreamQuality) -> StreamHub? { channels.hub(channel, quality) }

    func head(_ channel: Int) -> (any PTZControl)? { heads(channel) }

    var footage: (any FootageSource)? {
        get throws(StorageFailure) { try recording.footage }
    }
}

extension TerminalView.Stream {
    init(_ settings: VideoEncoderSettings) {
        let bitrate = if case .bitrate(let rate) = settings.rateControl { rate } else { 0 }
        self.init(
            size: settings.size, frameRate: settings.frameRate, bitrate: bitrate,
            keyFrameInterval: settings.keyFrameInterval)
    }
}
