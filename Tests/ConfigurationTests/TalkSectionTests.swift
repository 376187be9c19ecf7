import Configuration
import Devices
import Media
import Talkback
import Testing

@Suite struct TalkSectionTests {
    private func read(_ text: String) throws -> TalkConfiguration {
        try ConfigurationReader.read(Array(text.utf8)).talk
    }

    @Test func theFirstSpeakerIsTakenByDefault() throws {
        let talk = try read("")
        #expect(talk.speaker == SpeakerSettings(source: .alsa(device: "auto"), rate: 16000))
        #expect(talk.echo == .cancel && talk.settings == TalkSettings())
    }

    @Test func everythingCanBeSet() throws {
        let talk = try read(
            """
            talk: {speaker: "plughw:CARD=USB,DEV=0", speakerRate: 48000, pcmRate: 16000, idleSeconds: 30,
              jitterMilliseconds: 60, delayMilliseconds: 300, echo: duck}
            """)
        #expect(talk.speaker == SpeakerSettings(source: .alsa(device: "plughw:CARD=USB,DEV=0"), rate: 48000))
        #expect(talk.echo == .duck && talk.settings.pcmRate == 16000 && talk.settings.idle == .seconds(30))
        #expect(talk.settings.target == .milliseconds(60) && talk.settings.maximum == .milliseconds(300))
    }

    @Test func noneIsNoSpeaker() throws {
        #expect(try read("talk: {speaker: none}").speaker.source == .none)
    }

    @Test(arguments: [
        "speakerRate: 7999", "pcmRate: 96000", "idleSeconds: 0", "jitterMilliseconds: 400", "delayMilliseconds: 500",
        "echo: loud", "volume: 3",
    ])
    func whatCannotBeIsAMistake(line: String) {
        #expect(throws: ConfigurationMistakes.self) { _ = try read("talk: {\(line)}") }
    }
}
