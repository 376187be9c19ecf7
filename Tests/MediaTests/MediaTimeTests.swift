import Media
import Testing

@Suite struct MediaTimeTests {
    @Test func roundsDownAlsoBelowZero() {
        #expect(MediaTime(nanoseconds: 1_999_999).milliseconds == 1)
        #expect(MediaTime(nanoseconds: -1).milliseconds == -1)
        #expect(MediaTime(nanoseconds: -1_000_000).milliseconds == -1)
    }

    @Test func sampleTimesNeverAddUpRounding() {
        // A day of 44.1 kHz in frames of 1024: the last frame's time is exact to a nanosecond.
        let frames: Int64 = 24 * 3600 * 44100 / 1024
        #expect(MediaTime.samples(frames * 1024, rate: 44100).nanoseconds == frames * 1024 * 1_000_000_000 / 44100)
        #expect(MediaTime.samples(44100, rate: 44100) == .seconds(1))
    }

    @Test func samplesOfYearsDoNotOverflow() {
        #expect(MediaTime.samples(48_000 * 86_400 * 3650, rate: 48_000) == .seconds(86_400 * 3650))
    }
}
