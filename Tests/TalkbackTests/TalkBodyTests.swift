import Containers
import Media
import NIOCore
import Talkback
import TestSupport
import Testing

@Suite struct TalkBodyTests {
    /// What a body says, however it is cut: samples, and for FLV the sizes and times of frames.
    private struct Said: Equatable {
        var samples: [Int16] = []
        var rates: Set<Int> = []
        var configurations: [AudioSpecificConfig] = []
        var frames: [[UInt8]] = []
        var times: [UInt32] = []

        mutating func add(_ pieces: [TalkPiece]) {
            for piece in pieces {
                switch piece {
                case .samples(let some, let rate):
                    samples += some
                    rates.insert(rate)
                case .configuration(let config): configurations.append(config)
                case .frame(let data, let time):
                    frames.append(Array(data.readableBytesView))
                    times.append(time)
                }
            }
        }
    }

    private func read(_ bytes: [UInt8], cutAt cuts: [Int] = [], pcmRate: Int = 8000) throws -> Said {
        var body = TalkBody(pcmRate: pcmRate)
        var said = Said()
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            said.add(try body.take(ByteBuffer(bytes: bytes[start..<end])))
        }
        return said
    }

    private static let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]

    private static func tag(_ type: UInt8, _ payload: [UInt8], time: UInt32 = 0) -> [UInt8] {
        func three(_ value: Int) -> [UInt8] { [UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)] }
        let total = payload.count + 11
        return [type] + three(payload.count) + three(Int(time & 0xFF_FFFF)) + [UInt8(time >> 24), 0, 0, 0] + payload
            + [UInt8(total >> 24)] + three(total)
    }

    private static let frame = [UInt8](repeating: 0x21, count: 40)

    private static let call: [UInt8] =
        header + tag(8, [0xAF, 0, 0x14, 0x08]) + tag(8, [0xAF, 1] + frame, time: 0)
        + tag(9, [0x17, 1, 0, 0, 0] + [UInt8](repeating: 7, count: 300), time: 10) + tag(8, []) + tag(8, [0xAF, 1])
        + tag(18, [2, 0, 0]) + tag(8, [0xAF, 1] + frame, time: 64)

    @Test func pcmIsLittleEndianAtTheRateSaid() throws {
        let said = try read([0x01, 0x02, 0xFF, 0xFF, 0x00, 0x80], pcmRate: 16000)
        #expect(said.samples == [0x0201, -1, -32768] && said.rates == [16000])
    }

    @Test func pcmMayBeCutAnywhere() throws {
        var random = SplitMix64(state: 1)
        let bytes = (0..<257).map { _ in UInt8(random.below(256)) }
        let whole = try read(bytes)
        #expect(whole.samples.count == 128)
        for first in 0..<40 {
            for second in stride(from: first, to: bytes.count, by: 7) {
                #expect(try read(bytes, cutAt: [first, second]) == whole)
            }
        }
        #expect(try read(bytes, cutAt: Array(1..<bytes.count)) == whole)
    }

    @Test func pcmMayBeginLikeFLV() throws {
        let bytes: [UInt8] = [0x46, 0x4C, 0x57, 0x00]
        #expect(try read(bytes, cutAt: [1, 2, 3]).samples == [0x4C46, 0x0057])
    }

    @Test func flvMayBeCutAnywhere() throws {
        let whole = try read(Self.call)
        #expect(whole.configurations == [AudioSpecificConfig(rate: 16000, channels: 1)].compactMap { $0 })
        #expect(whole.frames == [Self.frame, Self.frame] && whole.times == [0, 64])
        for cut in 0...Self.call.count { #expect(try read(Self.call, cutAt: [cut]) == whole) }
        #expect(try read(Self.call, cutAt: Array(1..<Self.call.count)) == whole)
    }

    @Test(arguments: [UInt8(0), 1, 4, 5, 0xFF]) func flagsOfTheHeaderMeanNothing(flags: UInt8) throws {
        var bytes = Self.call
        bytes[4] = flags
        #expect(try read(bytes).frames.count == 2)
    }

    @Test(arguments: [(48000, 1), (48000, 2), (44100, 2), (8000, 1)])
    func rateAndChannelsAreTheConfigurations(rate: Int, channels: Int) throws {
        let config = try #require(AudioSpecificConfig(rate: rate, channels: channels))
        let bytes = Self.header + Self.tag(8, [0xAF, 0] + config.bytes) + Self.tag(8, [0xAF, 1] + Self.frame)
        #expect(try read(bytes).configurations == [config])
    }

    @Test func withoutConfigurationItIs16KilohertzMono() throws {
        let said = try read(Self.header + Self.tag(8, [0xAF, 1] + Self.frame))
        #expect(said.configurations == [AudioSpecificConfig(rate: 16000, channels: 1)].compactMap { $0 })
        #expect(said.frames.count == 1)
    }

    /// Native Android marks every payload shorter than ten bytes as configuration, silent frames too.
    @Test func aShortFrameMarkedAsConfigurationIsAFrame() throws {
        let silent: [UInt8] = [0x01, 0x18, 0x20, 0x07]
        let said = try read(
            Self.header + Self.tag(8, [0xAF, 0, 0x14, 0x08]) + Self.tag(8, [0xAF, 0] + silent, time: 64)
                + Self.tag(8, [0xAF, 1] + Self.frame, time: 128))
        #expect(said.configurations.count == 1 && said.frames == [silent, Self.frame])
    }

    @Test func aShortPayloadThatIsAConfigurationIsOne() throws {
        let said = try read(
            Self.header + Self.tag(8, [0xAF, 1, 0x11, 0x88]) + Self.tag(8, [0xAF, 1] + Self.frame))
        #expect(said.configurations == [AudioSpecificConfig(rate: 48000, channels: 1)].compactMap { $0 })
        #expect(said.frames.count == 1)
    }

    @Test func theConfigurationMayChange() throws {
        let said = try read(
            Self.call + Self.tag(8, [0xAF, 0, 0x14, 0x08]) + Self.tag(8, [0xAF, 0, 0x11, 0x90])
                + Self.tag(8, [0xAF, 1] + Self.frame))
        #expect(said.configurations.map(\.rate) == [16000, 48000] && said.configurations.last?.channels == 2)
    }

    @Test func otherCodecsAndTooLongFramesAreSkipped() throws {
        var body = TalkBody(pcmRate: 8000)
        var said = Said()
        let long = [UInt8](repeating: 0, count: TalkBody.maximumFrameBytes + 1)
        said.add(
            try body.take(
                ByteBuffer(
                    bytes: Self.header + Self.tag(8, [0x72] + Self.frame) + Self.tag(8, [0xAF, 1] + long)
                        + Self.tag(8, [0xAF, 1] + Self.frame))))
        #expect(said.frames.count == 1 && body.skippedTags == 2)
    }

    @Test func whatOnlyLooksLikeFLVEndsIt() throws {
        var body = TalkBody(pcmRate: 8000)
        var version = Self.header
        version[3] = 9
        #expect(throws: TalkBody.ParseError.flv(.unsupportedVersion(9))) {
            _ = try body.take(ByteBuffer(bytes: version))
        }
        #expect(try body.take(ByteBuffer(bytes: [1, 2, 3])).isEmpty)
        var tooLong = TalkBody(pcmRate: 8000)
        #expect(throws: TalkBody.ParseError.self) {
            _ = try tooLong.take(ByteBuffer(bytes: Self.header + [9, 0xFF, 0xFF, 0xFF] + [0, 0, 0, 0, 0, 0, 0]))
        }
    }
}
