import Media

/// How talks are heard.
package struct TalkSettings: Sendable, Hashable {
    /// Samples a second of raw PCM whose sender does not say: 8000…48000.
    package var pcmRate = 8000
    /// What the speaker is asked for: 8000…48000.
    package var speakerRate = 16000
    /// A talk without data ends after this.
    package var idle = MediaTime.seconds(10)
    /// How much sound is held against an uneven network.
    package var target = MediaTime.milliseconds(120)
    /// Sound is never heard later than this after it came.
    package var maximum = MediaTime.milliseconds(400)

    package init() {}

    package static let rates = 8000...48000
    /// A speaker that takes longer to open counts as one that does not open.
    package static let openTimeout = MediaTime.seconds(2)
    /// The speaker closes this long after the last talk, so that the next sentence need not wait for it.
    package static let linger = MediaTime.seconds(3)
}
