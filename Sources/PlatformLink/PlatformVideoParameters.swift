import PlatformProtocol

/// Parameters 0x0075 to 0x0077 as they are: how the channels are configured, with no more bits than the platform wants.
/// All else of a stream is the configuration's, and every viewer's.
struct PlatformVideoParameters {
    let settings: PlatformSettings
    let view: TerminalView
    /// Of a logical channel's main stream; bits a second.
    let limit: (UInt8) -> Int?

    private var channels: [(logical: UInt8, physical: UInt8, channel: TerminalView.Channel)] {
        settings.channels.enumerated().compactMap { index, channel in
            view.channels[channel.id].map { (channel.logical, UInt8(clamping: index + 1), $0) }
        }
    }

    var list: [JT808Parameter] {
        guard let first = channels.first else { return [] }
        return [
            parameter(
                .audioVideo,
                JT808AudioVideoParameter(
                    settings: encoding(first.logical, first.channel), audioOutput: view.hasSpeaker ? 1 : 0)),
            parameter(
                .channels,
                JT808ChannelTable(
                    channels.sorted { Self.type($0.channel) < Self.type($1.channel) }.map { entry in
                        .init(
                            physical: entry.physical, logical: entry.logical, type: Self.type(entry.channel),
                            hasPTZ: entry.channel.hasPTZ ? 1 : 0)
                    })),
            // As many as fit a parameter.
            parameter(
                .channelVideo,
                JT808ChannelVideo(
                    channels.prefix(12).map { .init(logical: $0.logical, settings: encoding($0.logical, $0.channel)) })),
        ]
    }

    private func parameter(_ id: JT808ParameterID, _ body: some JT808Body) -> JT808Parameter {
        var writer = JT808Writer(version: settings.version)
        body.write(to: &writer)
        return JT808Parameter(id: id.rawValue, value: writer.bytes)
    }

    private static func type(_ channel: TerminalView.Channel) -> UInt8 {
        channel.hasVideo ? (channel.hasAudio ? 0 : 2) : 1
    }

    /// What is stored is what is sent.
    private func encoding(_ logical: UInt8, _ channel: TerminalView.Channel) -> JT808VideoSettings {
        let stream = channel.main
        let bitrate = min(stream.bitrate, limit(logical) ?? .max)
        let interval = (stream.keyFrameInterval * stream.frameRate).rounded()
        let encoding = JT808Encoding(
            mode: 2, resolution: Self.resolution(stream), keyFrameInterval: UInt16(min(max(interval, 1), 1000)),
            frameRate: UInt8(min(max(stream.frameRate.rounded(), 1), 120)),
            bitrate: UInt32(clamping: bitrate / 1000))
        // Date and time are drawn.
        return JT808VideoSettings(live: encoding, stored: encoding, osd: 1)
    }

    private static func resolution(_ stream: TerminalView.Stream) -> UInt8 {
        switch (stream.size.width, stream.size.height) {
        case (176, 144): 0
        case (352, 288): 1
        case (704, 288): 2
        case (704, 576): 3
        case (960, 576): 4
        case (1280, 720): 5
        case (1920, 1080): 6
        default: 100
        }
    }
}
