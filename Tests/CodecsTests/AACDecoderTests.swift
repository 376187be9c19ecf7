import Codecs
import Glibc
import Media
import NIOCore
import Testing

@Suite struct AACDecoderTests {
    /// A second of a tone, encoded.
    private func frames(rate: Int, channels: Int, hertz: Double) throws -> [ByteBuffer] {
        let encoder = try AACEncoder(AudioEncoderSettings(rate: rate, channels: channels, bitrate: 32000 * channels))
        let tone = (0..<rate).flatMap { index in
            [Int16](
                repeating: Int16(8000 * sin(2 * .pi * hertz * Double(index) / Double(rate))), count: channels)
        }
        var frames: [ByteBuffer] = []
        try encoder.encode(tone, time: .zero) { frames.append($0.data) }
        return frames
    }

    /// The share of `samples` that is a tone of this frequency, 0…1.
    private func share(of hertz: Double, in samples: [Int16], rate: Int) -> Double {
        var (real, imaginary, energy) = (0.0, 0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let phase = 2 * .pi * hertz * Double(index) / Double(rate)
            real += Double(sample) * cos(phase)
            imaginary += Double(sample) * sin(phase)
            energy += Double(sample) * Double(sample)
        }
        return 2 * (real * real + imaginary * imaginary) / (Double(samples.count) * max(energy, 1))
    }

    @Test(arguments: [(8000, 1), (16000, 1), (16000, 2), (44100, 2), (48000, 1), (48000, 2)])
    func aToneComesOutAsItWentIn(rate: Int, channels: Int) throws {
        let config = try #require(AudioSpecificConfig(rate: rate, channels: channels))
        let decoder = try AACDecoder(config)
        #expect(decoder.rate == rate)
        var samples: [Int16] = []
        for frame in try frames(rate: rate, channels: channels, hertz: 440) {
            try decoder.decode(frame, into: &samples)
        }
        #expect(samples.count > rate - 3 * 1024 && samples.count <= rate)
        #expect(share(of: 440, in: Array(samples.dropFirst(4096)), rate: rate) > 0.99)
    }

    @Test func aBrokenFrameIsRefusedAndTheNextIsHeard() throws {
        let config = try #require(AudioSpecificConfig(rate: 16000, channels: 1))
        let decoder = try AACDecoder(config)
        var samples: [Int16] = []
        var refused = 0
        for (index, frame) in try frames(rate: 16000, channels: 1, hertz: 440).enumerated() {
            let bytes = index == 5 ? ByteBuffer(repeating: 0xFF, count: 40) : frame
            do { try decoder.decode(bytes, into: &samples) } catch { refused += 1 }
        }
        #expect(refused == 1 && samples.count >= 12 * 1024)
        #expect(share(of: 440, in: Array(samples.suffix(4096)), rate: 16000) > 0.99)
    }

    @Test func anEmptyFrameIsRefused() throws {
        let config = try #require(AudioSpecificConfig(rate: 16000, channels: 1))
        let decoder = try AACDecoder(config)
        var samples: [Int16] = []
        do {
            try decoder.decode(ByteBuffer(), into: &samples)
            Issue.record("it is no frame")
        } catch {
            #expect(samples.isEmpty)
        }
    }

    @Test(arguments: [(8000, 16000), (48000, 16000), (44100, 16000), (16000, 48000), (16000, 8000)])
    func theRateChangesAndTheToneDoesNot(from: Int, to: Int) throws {
        var converter = try RateConverter(from: from, to: to)
        var samples: [Int16] = []
        for start in stride(from: 0, to: from, by: 333) {
            let piece = (start..<min(start + 333, from)).map { index in
                Int16(8000 * sin(2 * .pi * 1000 * Double(index) / Double(from)))
            }
            converter.convert(piece, into: &samples)
        }
        #expect(abs(samples.count - to) < to / 100)
        #expect(share(of: 1000, in: Array(samples.dropFirst(to / 10)), rate: to) > 0.999)
    }

    /// A tone that the new rate cannot carry must not come back as another.
    @Test func whatTheNewRateCannotCarryIsGone() throws {
        var converter = try RateConverter(from: 48000, to: 16000)
        var samples: [Int16] = []
        converter.convert(
            (0..<48000).map { Int16(8000 * sin(2 * .pi * 11000 * Double($0) / 48000)) }, into: &samples)
        let loudest = samples.dropFirst(400).dropLast(400).map { abs(Int32($0)) }.max() ?? 0
        #expect(loudest < 160)
    }

    @Test func unusableRatesAreRefused() {
        #expect(throws: CodecError.self) { _ = try RateConverter(from: 0, to: 16000) }
        #expect(throws: CodecError.self) { _ = try EchoCanceller(rate: 7000, tail: .milliseconds(100)) }
    }
}
