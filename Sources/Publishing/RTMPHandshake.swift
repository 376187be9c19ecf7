import NIOCore

/// The plain handshake of RTMP, the client's side ("RTMP 1.0", 5.2). Bytes in, bytes out.
package struct RTMPHandshake: Sendable {
    package enum Failure: Error, Equatable {
        /// S0 is not 3: what answers speaks something else.
        case unsupportedVersion(UInt8)
    }

    /// C1, C2, S1 and S2.
    package static let packetLength = 1536
    package static let randomLength = packetLength - 8
    package static let version: UInt8 = 3

    /// C0 and C1, to be sent at once.
    package let opening: ByteBuffer
    package var isComplete: Bool { phase == .complete }

    private enum Phase {
        case awaitsS0, awaitsS1, awaitsS2, complete
    }
    private var phase = Phase.awaitsS0
    private var buffer = ByteBuffer()

    /// - Parameters:
    ///   - time: milliseconds of any clock.
    ///   - random: `randomLength` bytes; cut or filled with zeros to that.
    package init(time: UInt32, random: [UInt8]) {
        var opening = ByteBuffer()
        opening.writeInteger(Self.version)
        opening.writeInteger(time)
        opening.writeInteger(UInt32(0))
        opening.writeBytes(random.prefix(Self.randomLength))
        opening.writeRepeatingByte(0, count: Self.randomLength - min(random.count, Self.randomLength))
        self.opening = opening
    }

    /// Takes what belongs to the handshake off the front of `bytes`; returns C2 once S1 is there.
    package mutating func receive(_ bytes: inout ByteBuffer) throws(Failure) -> ByteBuffer? {
        var answer: ByteBuffer?
        while bytes.readableBytes > 0, phase != .complete {
            switch phase {
            case .awaitsS0:
                guard let version: UInt8 = bytes.readInteger() else { return answer }
                guard version == Self.version else { throw .unsupportedVersion(version) }
                phase = .awaitsS1
            case .awaitsS1, .awaitsS2:
                let missing = Self.packetLength - buffer.readableBytes
                if var piece = bytes.readSlice(length: min(missing, bytes.readableBytes)) {
                    buffer.writeBuffer(&piece)
                }
                guard buffer.readableBytes == Self.packetLength else { return answer }
                if phase == .awaitsS1 {
                    // C2 repeats S1; its second time field, when S1 was read, may stay as it is.
                    answer = buffer
                    buffer = ByteBuffer()
                    phase = .awaitsS2
                } else {
                    // S2 should equal C1, but services fill it as they like.
                    buffer = ByteBuffer()
                    phase = .complete
                }
            case .complete: break
            }
        }
        return answer
    }
}
