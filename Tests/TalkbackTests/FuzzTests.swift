import Codecs
import Glibc
import Media
import NIOCore
import Talkback
import TestSupport
import Testing

/// A million mutated bodies each, if not told otherwise: no crash, no hang, no more memory than the limits allow.
@Suite struct TalkFuzzTests {
    private static let rounds =
        getenv("EDGE_AGENT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1_000_000

    private static func tag(_ type: UInt8, _ payload: [UInt8], time: UInt8) -> [UInt8] {
        [type, 0, UInt8(payload.count >> 8), UInt8(payload.count & 255), 0, 0, time, 0, 0, 0, 0] + payload
            + [0, 0, UInt8((payload.count + 11) >> 8), UInt8((payload.count + 11) & 255)]
    }

    private static let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]

    private static func frames(rate: Int, channels: Int) throws -> [[UInt8]] {
        let encoder = try AACEncoder(AudioEncoderSettings(rate: rate, channels: channels, bitrate: 24000))
        var frames: [[UInt8]] = []
        try encoder.encode(Sound.voice(seed: 5, rate: rate, count: 8192 * channels), time: .zero) {
            frames.append(Array($0.data.readableBytesView))
        }
        return frames
    }

    /// Takes a body in pieces of random length. The largest number of bytes that came out for those that went in.
    private static func feed(_ bytes: [UInt8], _ random: inout SplitMix64) -> (pieces: [TalkPiece], isRefused: Bool) {
        var body = TalkBody(pcmRate: 8000)
        var pieces: [TalkPiece] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + 1 + random.below(bytes.count), bytes.count)
            do { pieces += try body.take(ByteBuffer(bytes: bytes[start..<end])) } catch { return (pieces, true) }
            start = end
        }
        return (pieces, false)
    }

    @Test func pcmBodies() {
        var random = SplitMix64(state: 1)
        var isRight = true
        for _ in 0..<Self.rounds {
            var bytes = (0..<random.below(64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if random.below(4) == 0 { bytes.insert(contentsOf: Self.header.prefix(random.below(13)), at: 0) }
            mutate(&bytes, using: &random)
            let (pieces, isRefused) = Self.feed(bytes, &random)
            guard !bytes.starts(with: [0x46, 0x4C, 0x56]) else { continue }
            let count = pieces.reduce(0) { sum, piece in
                if case .samples(let samples, _) = piece { sum + samples.count } else { sum }
            }
            // One or two bytes that could still become FLV are held back.
            isRight = isRight && !isRefused && (count == bytes.count / 2 || bytes.count < 3)
        }
        #expect(isRight)
    }

    @Test func flvBodies() throws {
        var random = SplitMix64(state: 2)
        let frames = try Self.frames(rate: 16000, channels: 1)
        let seed =
            Self.header + Self.tag(8, [0xAF, 0, 0x14, 0x08], time: 0) + Self.tag(8, [0xAF, 1] + frames[2], time: 0)
            + Self.tag(9, [0x17, 1, 0, 0, 0, 1, 2, 3], time: 3) + Self.tag(8, [], time: 4)
            + Self.tag(8, [0xAF, 1] + frames[3], time: 64)
        var (understood, refused) = (0, 0)
        for _ in 0..<Self.rounds {
            var bytes = seed
            mutate(&bytes, using: &random)
            let (pieces, isRefused) = Self.feed(bytes, &random)
            understood += pieces.count
            refused += isRefused ? 1 : 0
        }
        #expect(understood > 0 && refused > 0)
    }

    /// What the body lets through reaches libfaad2, which is C.
    @Test func framesForTheDecoder() throws {
        var random = SplitMix64(state: 3)
        var (heard, refused) = (0, 0)
        for (rate, channels) in [(16000, 1), (48000, 2), (8000, 1)] {
            let frames = try Self.frames(rate: rate, channels: channels)
            let config = try #require(AudioSpecificConfig(rate: rate, channels: channels))
            var decoder = try AACDecoder(config)
            for round in 0..<Self.rounds / 3 {
                if round % 1000 == 0 { decoder = try AACDecoder(config) }
                var bytes = frames[random.below(frames.count)]
                mutate(&bytes, using: &random)
                var samples: [Int16] = []
                do {
                    try decoder.decode(ByteBuffer(bytes: bytes.prefix(TalkBody.maximumFrameBytes)), into: &samples)
                    heard += samples.count
                } catch {
                    refused += 1
                }
            }
        }
        #expect(heard > 0 && refused > 0)
    }
}
