import Streaming

/// How little the encoders are to spend for one platform: what it has set (0x0075, 0x0077), and what it says that it
/// receives (0x9105). Belongs to one event loop.
struct StreamCeilings {
    private let device: any PlatformDevice
    /// Consumers of hubs with numbers from here on; far above those of pushes.
    private let firstConsumer: UInt64
    private var governors: [PlatformStreams.Token: LossGovernor] = [:]
    /// By the channels' ids; bits a second.
    private var limits: [Int: Int] = [:]

    /// - Parameter number: another one for each link.
    init(device: any PlatformDevice, number: UInt64) {
        self.device = device
        firstConsumer = 1 << 62 | (number & 0x3FFF_FFFF) << 32
    }

    /// Tokens begin at 1.
    private func consumer(_ token: PlatformStreams.Token) -> UInt64 { firstConsumer | token.rawValue & 0xFFFF_FFFF }

    // MARK: What the platform has set

    mutating func limit(_ channel: Int, _ bitrate: Int?) {
        limits[channel] = bitrate
        renew(channel)
    }

    /// A channel's encoder may be another one than last time.
    func renew(_ channel: Int) { device.hub(channel, .main)?.setBitrateCeiling(limits[channel], for: firstConsumer) }

    // MARK: What it receives

    /// - Parameter loss: per cent.
    mutating func govern(_ stream: PlatformStreams.Stream, loss: Int) {
        guard let hub = device.hub(stream.channelID, stream.quality) else { return }
        let configured = hub.format.video?.bitrate ?? 0
        switch governors[stream.token, default: LossGovernor()].update(loss: loss, configured: configured) {
        case .ceiling(let rate): hub.setBitrateCeiling(rate, for: consumer(stream.token))
        case .lift: hub.setBitrateCeiling(nil, for: consumer(stream.token))
        case nil: break
        }
    }

    /// The stream is over, or another one is sent from now on.
    mutating func lift(_ token: PlatformStreams.Token, channel: Int) {
        guard governors.removeValue(forKey: token) != nil else { return }
        for quality in StreamQuality.allCases {
            device.hub(channel, quality)?.setBitrateCeiling(nil, for: consumer(token))
        }
    }

    /// The link ends for good.
    mutating func liftAll() {
        for channel in limits.keys { device.hub(channel, .main)?.setBitrateCeiling(nil, for: firstConsumer) }
        limits = [:]
    }
}
