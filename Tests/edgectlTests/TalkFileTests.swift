import ControlProtocol
import Glibc
import Testing
import edgectl

@Suite struct TalkFileTests {
    private func pieces(_ bytes: [UInt8], rate: Int = 8000) throws -> (pieces: [TalkFile.Piece], rate: Int) {
        let path = "/tmp/talk-\(UInt64.random(in: .min ... .max))"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer {
            close(descriptor)
            unlink(path)
        }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        let file = try TalkFile(path: path, pcmRate: rate)
        var pieces: [TalkFile.Piece] = []
        while let piece = file.next() { pieces.append(piece) }
        return (pieces, file.rate)
    }

    private func wav(channels: UInt8, rate: Int, bits: UInt8 = 16, _ data: [UInt8]) -> [UInt8] {
        func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
        return Array("RIFF".utf8) + little(0) + Array("WAVE".utf8) + Array("LIST".utf8) + little(3) + [1, 2, 3, 0]
            + Array("fmt ".utf8) + little(16) + [1, 0, channels, 0] + little(rate) + little(0) + [0, 0, bits, 0]
            + Array("data".utf8) + little(data.count) + data
    }

    @Test func aWAVSaysItsRateAndIsSentInPiecesOf20Milliseconds() throws {
        let (pieces, rate) = try pieces(wav(channels: 1, rate: 16000, [UInt8](repeating: 7, count: 1600)))
        #expect(rate == 16000 && pieces.map(\.bytes.count) == [640, 640, 320])
        #expect(pieces.map(\.milliseconds) == [0, 20, 40])
    }

    @Test func stereoIsMixedToOneChannel() throws {
        // 100 and 300, -2 and -4.
        let (pieces, _) = try pieces(wav(channels: 2, rate: 8000, [100, 0, 44, 1, 254, 255, 252, 255]))
        #expect(pieces.map(\.bytes) == [[200, 0, 253, 255]])
    }

    @Test func anythingElseIsRawPCM() throws {
        let (pieces, rate) = try pieces([UInt8](repeating: 0, count: 500), rate: 8000)
        #expect(rate == 8000 && pieces.map(\.bytes.count) == [320, 180])
    }

    @Test func flvGoesOutTagByTagAtTheTimesItBears() throws {
        let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 4, 0, 0, 0, 9, 0, 0, 0, 0]
        func tag(_ time: UInt8) -> [UInt8] { [8, 0, 0, 2, 0, 0, time, 0, 0, 0, 0, 0xAF, 1, 0, 0, 0, 13] }
        let (pieces, _) = try pieces(header + tag(0) + tag(64) + [8, 0, 0])
        #expect(pieces.map(\.bytes) == [header, tag(0), tag(64)] && pieces.map(\.milliseconds) == [0, 0, 64])
    }

    @Test(arguments: [8, 24]) func otherWAVsAreRefused(bits: UInt8) {
        #expect(throws: TalkFile.Failure.self) { _ = try pieces(wav(channels: 1, rate: 8000, bits: bits, [0, 0])) }
    }

    @Test func aWAVWithoutSamplesIsRefused() {
        #expect(throws: TalkFile.Failure.self) {
            _ = try pieces(Array(wav(channels: 1, rate: 8000, []).dropLast(8)))
        }
    }

    @Test func aFileThatIsNotThereIsNamed() {
        do {
            _ = try TalkFile(path: "/nowhere/at/all", pcmRate: 8000)
            Issue.record("it is not there")
        } catch {
            #expect("\(error)".hasPrefix("/nowhere/at/all: "))
        }
    }

    @Test func howItWentIsTold() {
        let talk = TalkbackReport.Talk(
            from: "unix", form: "pcm", seconds: 4, bytes: 64000, rate: 8000, delayMilliseconds: 150,
            longestDelayMilliseconds: 190, playedMilliseconds: 3900, silenceMilliseconds: 40, underruns: 1,
            droppedMilliseconds: 20, lostFrames: 2, speakerUnderruns: 0)
        #expect(
            ReportText.talkEnd(TalkEndReport(cause: "finished", talk: talk))
                == "finished: 3.9 s heard, delay 150 ms (at most 190 ms), 20 ms dropped, 40 ms of silence in 1 gap, 2 frames lost"
        )
        let report = TalkbackReport(
            speaker: "auto", talks: 3, refused: 1, talk: nil,
            echoes: [.init(channel: 0, delayMilliseconds: 31, lossDecibels: 42.3, realignments: 0)])
        #expect(
            ReportText.talkback(report)
                == "Speaker auto: nobody talks, 3 talks so far, 1 refused\n  echo in channel 0 lowered by 42.3 dB, 31 ms late"
        )
    }
}
