import Media
import Testing

@Suite struct AudioSpecificConfigTests {
    /// As listed in many places for AAC-LC.
    @Test(arguments: [
        (8000, 1, [0x15, 0x88] as [UInt8]), (16000, 1, [0x14, 0x08]), (32000, 1, [0x12, 0x88]),
        (44100, 2, [0x12, 0x10]),
        (48000, 2, [0x11, 0x90]),
    ])
    func matchesKnownBytes(rate: Int, channels: Int, bytes: [UInt8]) throws {
        let config = try #require(AudioSpecificConfig(rate: rate, channels: channels))
        #expect(config.bytes == bytes)
        #expect(AudioSpecificConfig(bytes: bytes) == config)
    }

    @Test func refusesWhatAACHasNoIndexFor() {
        #expect(AudioSpecificConfig(rate: 16001, channels: 1) == nil)
        #expect(AudioSpecificConfig(rate: 16000, channels: 3) == nil)
        #expect(AudioSpecificConfig(bytes: [0x15]) == nil)
        #expect(AudioSpecificConfig(bytes: [0x2B, 0x88]) == nil)
    }
}
