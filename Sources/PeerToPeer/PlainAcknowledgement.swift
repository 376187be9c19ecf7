/// A packet that says only how far all has come: one SACK without gaps and doubles (RFC 9260, 3.3.4). What was held up
/// brings many of them at once, of which the last says all.
package struct PlainAcknowledgement {
    /// The common header, and the chunk.
    private static let length = 12 + 16

    private let packet: (UInt64, UInt64, UInt64, UInt32)

    /// Nil where the packet is another one.
    package init?(_ packet: UnsafeRawBufferPointer) {
        guard packet.count == Self.length, packet[12] == 3, packet[14] == 0, packet[15] == 16,
            packet.loadUnaligned(fromByteOffset: 24, as: UInt32.self) == 0
        else { return nil }
        self.packet = (
            packet.loadUnaligned(as: UInt64.self), packet.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            packet.loadUnaligned(fromByteOffset: 16, as: UInt64.self), 0
        )
    }

    /// Whether it says all that an earlier one said.
    package func covers(_ earlier: PlainAcknowledgement) -> Bool {
        packet.0 == earlier.packet.0 && Int32(bitPattern: last &- earlier.last) >= 0
    }

    /// The number of the last chunk up to which all has come.
    private var last: UInt32 { withBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self)) } }

    /// The packet as it came.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: packet) { body(UnsafeRawBufferPointer(rebasing: $0.prefix(Self.length))) }
    }
}
