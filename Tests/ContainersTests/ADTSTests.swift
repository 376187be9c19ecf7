import Containers
import Media
import TestSupport
import Testing

@Suite struct ADTSTests {
    @Test func headersComeBack() throws {
        for (rate, channels) in [(16000, 1), (48000, 2), (7350, 1)] {
            let config = try #require(AudioSpecificConfig(rate: rate, channels: channels))
            for length in [1, 255, 8000] {
                let frame = [UInt8](repeating: 7, count: length)
                let bytes = try #require(ADTS.header(config, frameBytes: length)) + frame
                #expect(bytes.count == ADTS.headerLength + length)
                let parsed = try #require(ADTS.parse(bytes + [1, 2, 3]))
                #expect(parsed.config == config)
                #expect(Array(parsed.data) == frame)
                #expect(ADTS.parse(bytes.dropLast()) == nil)
            }
            #expect(ADTS.header(config, frameBytes: ADTS.maximumFrame + 1) == nil)
        }
    }

    /// As ffmpeg writes it: AAC-LC, 16 kHz, mono, 100 bytes in all.
    @Test func knownHeader() throws {
        let config = try #require(AudioSpecificConfig(rate: 16000, channels: 1))
        #expect(ADTS.header(config, frameBytes: 93) == [0xFF, 0xF1, 0x60, 0x40, 0x0C, 0x9F, 0xFC])
    }

    @Test func brokenHeadersHurtNobody() throws {
        var random = SplitMix64(state: 9)
        let config = try #require(AudioSpecificConfig(rate: 16000, channels: 1))
        let good = try #require(ADTS.header(config, frameBytes: 30)) + [UInt8](repeating: 1, count: 30)
        var parsed = 0
        for _ in 0..<FuzzRounds.count {
            var bytes = good
            mutate(&bytes, using: &random)
            if let frame = ADTS.parse(bytes) {
                parsed += 1
                guard frame.data.count < bytes.count else {
                    Issue.record("\(frame.data.count) of \(bytes.count) bytes")
                    return
                }
            }
        }
        #expect(parsed > 0)
    }
}
