import Configuration
import ControlProtocol
import Devices
import Logging
import Media
import Streaming
import Synchronization
import Talkback
import WebServer

/// Talking through the device's speaker: the one place to talk, and what is done about its echo in each microphone.
final class TalkService: Sendable {
    let slot: TalkSlot
    private let configuration: TalkConfiguration
    private let farEnd: FarEnd
    private let logger: Logger
    /// Of channels whose echo is cancelled.
    private let echoes = Mutex<[Int: MicrophoneEcho]>([:])

    init(_ configuration: TalkConfiguration, events: EventHub, clock: any MediaClock, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        let farEnd = FarEnd(rate: configuration.speaker.rate)
        self.farEnd = farEnd
        let hasSpeaker = configuration.speaker.source != .none
        slot = TalkSlot(
            settings: configuration.settings, opener: hasSpeaker ? SpeakerOpener(settings: configuration.speaker) : nil,
            farEnd: farEnd, clock: clock, logger: logger
        ) { change in
            switch change {
            case .began(let report):
                events.publish(EventReport.Name.talkBegan, detail: report.source)
            case .ended(let report, let cause):
                events.publish(EventReport.Name.talkEnded, detail: "\(report.source): \(cause)")
            }
        }
    }

    /// Nil where the device has no speaker.
    var isTalking: Bool? { configuration.speaker.source == .none ? nil : slot.current != nil }

    /// What a channel's microphone goes through before it is encoded. Nil where nothing is to be done.
    func processor(for settings: ChannelSettings) -> (any AudioProcessor)? {
        echoes.withLock { $0[settings.id] = nil }
        guard configuration.speaker.source != .none, settings.hasAudio else { return nil }
        switch configuration.echo {
        case .off: return nil
        case .duck: return MicrophoneDuck(farEnd: farEnd)
        case .cancel:
            do {
                let microphone = settings.microphone
                let echo = try MicrophoneEcho(farEnd: farEnd, rate: microphone.rate, channels: microphone.channels)
                echoes.withLock { $0[settings.id] = echo }
                return echo
            } catch {
                logger.error(
                    "the echo of a channel is not cancelled",
                    metadata: ["channel": "\(settings.id)", "detail": "\(error)"])
                return nil
            }
        }
    }

    /// Nil where the device has no speaker.
    var report: TalkbackReport? {
        guard case .alsa(let device) = configuration.speaker.source else { return nil }
        let counts = slot.counts
        let echoes = self.echoes.withLock { $0.sorted { $0.key < $1.key } }
        return TalkbackReport(
            speaker: device, talks: counts.begun, refused: counts.refused,
            talk: slot.current.map(TalkbackReport.Talk.init),
            echoes: echoes.map { TalkbackReport.Echo(channel: $0.key, $0.value.report) })
    }
}
