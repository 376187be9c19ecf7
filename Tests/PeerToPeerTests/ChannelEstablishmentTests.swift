import NIOCore
import PeerToPeer
import TestSupport
import Testing

@Suite struct ChannelEstablishmentTests {
    @Test func theExampleOfABrowser() throws {
        // Reliable, ordered, priority 256, label "ab", no protocol.
        let message = ByteBuffer(bytes: [3, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0x61, 0x62])
        let opening = ChannelOpening(label: "ab")
        #expect(ChannelEstablishment(message) == .open(opening))
        #expect(ChannelEstablishment.open(opening).bytes == message)
        #expect(ChannelEstablishment(ByteBuffer(bytes: [2])) == .acknowledgement)
        #expect(ChannelEstablishment.acknowledgement.bytes == ByteBuffer(bytes: [2]))
    }

    @Test(
        arguments: [
            ChannelOpening.Reliability.reliable, .retransmissions(0), .retransmissions(7), .lifetime(milliseconds: 150),
        ], [true, false]) func whatIsWrittenIsRead(_ reliability: ChannelOpening.Reliability, _ isOrdered: Bool)
    {
        var opening = ChannelOpening(label: "GET ipc.flv?action=live&channel=0")
        opening.subprotocol = "grammar"
        opening.reliability = reliability
        opening.isOrdered = isOrdered
        opening.priority = 512
        #expect(ChannelEstablishment(ChannelEstablishment.open(opening).bytes) == .open(opening))
    }

    @Test(
        arguments: [
            [], [0], [1], [3], [3, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0x61, 0x62],
            [3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0x61], [3, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]]) func whatDoesNotFitIsRefused(_ bytes: [UInt8])
    {
        #expect(ChannelEstablishment(ByteBuffer(bytes: bytes)) == nil)
    }

    @Test func anyBytesDoNoHarm() {
        var generator = SplitMix64(state: 8832)
        for _ in 0..<FuzzRounds.count {
            let count = Int.random(in: 0...40, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 9 { (bytes[0], bytes[8], bytes[10 % count]) = (3, 0, 0) }
            if case .open(let opening) = ChannelEstablishment(ByteBuffer(bytes: bytes)) {
                if opening.label.utf8.count > 3 * bytes.count { Issue.record("\(bytes)") }
            }
        }
    }
}
