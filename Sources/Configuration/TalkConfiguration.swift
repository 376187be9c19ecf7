import Devices
import Media
import Talkback

/// How viewers are heard through the device's speaker.
package struct TalkConfiguration: Sendable, Hashable {
    package var speaker: SpeakerSettings
    package var settings: TalkSettings
    package var echo: EchoTreatment

    init(_ section: SectionReader) {
        let device = section.text("speaker", maximumLength: 255) ?? "auto"
        let rate = section.integer("speakerRate", TalkSettings.rates) ?? 16000
        speaker = SpeakerSettings(source: device == "none" ? .none : .alsa(device: device), rate: rate)
        echo = section.choice("echo", EchoTreatment.allCases.map { ($0.rawValue, $0) }) ?? .cancel
        settings = TalkSettings()
        if let rate = section.integer("pcmRate", TalkSettings.rates) { settings.pcmRate = rate }
        if let seconds = section.integer("idleSeconds", 1...600) { settings.idle = .seconds(Int64(seconds)) }
        if let target = section.integer("jitterMilliseconds", 20...300) {
            settings.target = .milliseconds(Int64(target))
        }
        if let maximum = section.integer("delayMilliseconds", 200...400) {
            settings.maximum = .milliseconds(Int64(maximum))
        }
    }
}
