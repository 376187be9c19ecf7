import Motion
import TestSupport
import Testing

@Suite struct PelcoDReplyTests {
    private let pan: [UInt8] = [0xFF, 1, 0, 0x59, 0x23, 0x28, 0xA5]

    @Test func positionsAreFoundInPieces() {
        var reader = PelcoDReplyReader(address: 1)
        for byte in pan.dropLast() { #expect(reader.receive([byte]) == []) }
        #expect(reader.receive([0xA5]) == [.position(.pan, 9000)])
    }

    @Test func noiseEchoesAndOthersWordsArePassedOver() {
        var reader = PelcoDReplyReader(address: 1)
        reader.sent(PelcoD.query(1, .pan))
        let other: [UInt8] = [0xFF, 2, 0, 0x59, 0, 1, 0x5C]
        let broken: [UInt8] = [0xFF, 1, 0, 0x5B, 0, 1, 0x99]
        let bytes = [0, 7, 0xFF, 0xFF] + PelcoD.query(1, .pan).bytes + other + broken + [0xFF] + pan + [9]
        #expect(reader.receive(bytes) == [.position(.pan, 9000)])
    }

    @Test func generalRepliesAreKnownByTheCommandTheyAnswer() {
        var reader = PelcoDReplyReader(address: 3)
        let command = PelcoD.setPreset(3, 5)
        reader.sent(command)
        #expect(reader.receive([0xFF, 3, 0, command.checksum]) == [.general(alarms: 0)])
        #expect(reader.receive([0xFF, 3, 4, command.checksum &+ 4]) == [.general(alarms: 4)])
        #expect(reader.receive([0xFF, 3, 4, command.checksum]) == [])
    }

    /// At address 8 the first four bytes of the answer are a whole general reply.
    @Test func aPositionThatBeginsLikeAGeneralReplyIsAPosition() {
        var reader = PelcoDReplyReader(address: 8)
        reader.sent(PelcoD.query(8, .pan))
        #expect(reader.receive([0xFF, 8, 0, 0x59, 0, 100, 0xC5]) == [.position(.pan, 100)])
    }

    @Test func anythingMayComeOverTheLine() {
        var random = SplitMix64(state: 5)
        var reader = PelcoDReplyReader(address: 1)
        var positions = 0
        for round in 0..<FuzzRounds.count {
            var bytes = pan
            reader.sent(PelcoD.query(1, PelcoD.Position.allCases[round % 3]))
            if round % 4 != 0 { mutate(&bytes, using: &random) }
            for case .position in reader.receive(bytes) { positions += 1 }
        }
        #expect(positions > FuzzRounds.count / 5)
        // Whatever was left over, a whole reply behind a few bytes is heard again.
        #expect(reader.receive([0, 0, 0, 0, 0, 0, 0] + pan).last == .position(.pan, 9000))
    }
}
