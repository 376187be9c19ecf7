import PeerToPeer
import Testing

/// RFC 9260, 3.3.4: a SACK behind the common header.
@Suite struct PlainAcknowledgementTests {
    static func packet(
        _ last: UInt32, tag: UInt32 = 7, type: UInt8 = 3, gaps: UInt16 = 0, doubles: UInt16 = 0, rest: [UInt8] = []
    ) -> [UInt8] {
        func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
        let length = UInt16(16 + 4 * Int(gaps) + 4 * Int(doubles))
        let reports = [UInt8](repeating: 1, count: Int(length) - 16)
        return bytes(UInt16(5000)) + bytes(UInt16(5001)) + bytes(tag) + bytes(UInt32(0xABCD)) + [type, 0]
            + bytes(length) + bytes(last) + bytes(UInt32(1 << 17)) + bytes(gaps) + bytes(doubles) + reports + rest
    }

    static func parse(_ packet: [UInt8]) -> PlainAcknowledgement? {
        packet.withUnsafeBytes { PlainAcknowledgement($0) }
    }

    @Test func isKeptAsItCame() throws {
        let packet = Self.packet(4711)
        #expect(try #require(Self.parse(packet)).withBytes { Array($0) } == packet)
    }

    @Test(arguments: [
        packet(1, gaps: 1), packet(1, doubles: 1), packet(1, type: 0), packet(1, type: 4),
        packet(1, rest: [6, 0, 0, 4]), packet(1, rest: [0]), packet(1).dropLast(), Array(packet(1).prefix(12)), [],
    ])
    func othersAreNone(_ packet: [UInt8]) { #expect(Self.parse(packet) == nil) }

    @Test(arguments: [
        (1, 2, true), (2, 2, true), (2, 1, false), (UInt32.max, 0, true), (0, UInt32.max, false),
        (UInt32.max - 5, 0x7FFF_FFF0, true), (0, 0x8000_0001, false),
    ])
    func theLastOneCoversThoseBefore(_ earlier: UInt32, _ later: UInt32, _ covers: Bool) throws {
        let (earlier, later) = try (
            #require(Self.parse(Self.packet(earlier))), #require(Self.parse(Self.packet(later)))
        )
        #expect(later.covers(earlier) == covers)
    }

    @Test func thoseOfAnotherAssociationAreNotCovered() throws {
        let own = try #require(Self.parse(Self.packet(1, tag: 7)))
        let other = try #require(Self.parse(Self.packet(2, tag: 8)))
        #expect(!other.covers(own))
    }
}
