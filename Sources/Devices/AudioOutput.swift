import Media

/// An open speaker. Belongs to one thread. Between two writes it should be looked after at least once in its `latency`,
/// or it runs out of samples and is started anew.
package protocol AudioOutput: AnyObject {
    /// What is played, such as "S16_LE 16000 Hz mono".
    var detail: String { get }
    /// Samples a second.
    var rate: Int { get }
    /// From a sample's being written to its being heard, at most.
    var latency: MediaTime { get }
    /// How often it ran out of samples.
    var underruns: Int { get }

    /// Waits until there is room, at most `timeout`. Samples that can be written now; 0 after that time.
    func room(timeout: MediaTime) throws(DeviceError) -> Int

    /// Writes mono samples, no more than there is room for.
    /// - Returns: when the first of them will be heard.
    func write(_ samples: [Int16]) throws(DeviceError) -> MediaTime
}

/// What is played through.
package struct SpeakerSettings: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// An ALSA playback device such as "default" or "plughw:CARD=Loopback,DEV=0"; "auto" is the first that works.
        case alsa(device: String)
        case none
    }

    package var source: Source
    /// Samples a second, 8000…48000.
    package var rate: Int

    package init(source: Source, rate: Int = 16000) {
        self.source = source
        self.rate = rate
    }
}

/// Opens a speaker. Blocks; on the thread that plays.
package protocol SpeakerOpening: Sendable {
    /// The speaker and the device's name for people.
    func open() throws(DeviceError) -> (output: any AudioOutput, device: String)
}

/// Opens what the settings name.
package struct SpeakerOpener: SpeakerOpening {
    private let settings: SpeakerSettings

    package init(settings: SpeakerSettings) { self.settings = settings }

    package func open() throws(DeviceError) -> (output: any AudioOutput, device: String) {
        switch settings.source {
        case .alsa("auto"):
            var refusal: DeviceError?
            for speaker in SoundDiscovery.speakers() {
                do throws(DeviceError) {
                    return (try ALSASpeaker(device: speaker.device, rate: settings.rate), speaker.device)
                } catch {
                    refusal = refusal ?? error
                }
            }
            throw refusal
                ?? DeviceError(
                    .absent, device: "auto", action: "looking for a speaker", reason: "this machine has none")
        case .alsa(let device): return (try ALSASpeaker(device: device, rate: settings.rate), device)
        case .none:
            throw DeviceError(.unsupported, device: "speaker", action: "opening it", reason: "the device has none")
        }
    }
}
