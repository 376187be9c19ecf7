import Codecs
import Media
import Testing

@Suite struct AACEncoderTests {
    @Test(arguments: [
        (8000, 1, 16000), (16000, 1, 32000), (32000, 1, 48000), (44100, 2, 96000), (48000, 2, 128_000),
    ])
    func framesFollowTheSampleClock(rate: Int, channels: Int, bitrate: Int) throws {
        let encoder = try AACEncoder(AudioEncoderSettings(rate: rate, channels: channels, bitrate: bitrate))
        var frames: [EncodedFrame] = []
        let piece = rate / 50
        for index in 0..<100 {
            let samples = (0..<piece * channels).map { Int16(($0 + index * 31) % 200 * 50) }
            try encoder.encode(samples, time: .seconds(7)) { frames.append($0) }
        }
        #expect(frames.count >= piece * 100 / 1024 - 2)
        let first = MediaTime.seconds(7) + .samples(-AACEncoder.delay, rate: rate)
        let offset = (frames[0].time - first).nanoseconds
        #expect(offset >= 0 && offset <= MediaTime.samples(2048, rate: rate).nanoseconds)
        for (a, b) in zip(frames, frames.dropFirst()) {
            let step = (b.time - a.time).nanoseconds - MediaTime.samples(1024, rate: rate).nanoseconds
            #expect(abs(step) <= 1)
        }
        #expect(frames.allSatisfy { $0.isKey && $0.data.readableBytes > 0 && $0.data.readableBytes <= 1536 })
    }

    @Test func aNewTimeLineAfterReset() throws {
        let encoder = try AACEncoder(AudioEncoderSettings())
        try encoder.encode([Int16](repeating: 0, count: 5000), time: .zero) { _ in }
        encoder.reset()
        var first: MediaTime?
        try encoder.encode([Int16](repeating: 0, count: 5000), time: .seconds(100)) { first = first ?? $0.time }
        #expect(try #require(first) > .seconds(99))
    }

    @Test func refusesWhatAACLacks() {
        #expect(throws: CodecError.self) { _ = try AACEncoder(AudioEncoderSettings(rate: 12345)) }
        #expect(throws: CodecError.self) { _ = try AACEncoder(AudioEncoderSettings(channels: 3)) }
    }
}
