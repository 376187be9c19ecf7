import NIOCore

/// The messages by which data channels are opened (RFC 8832, 5).
package enum ChannelEstablishment: Sendable, Hashable {
    case open(ChannelOpening)
    case acknowledgement

    /// Nil where it is neither, or its lengths do not fit.
    package init?(_ message: ByteBuffer) {
        var message = message
        switch message.readInteger(as: UInt8.self) {
        case 2: self = .acknowledgement
        case 3:
            guard let opening = ChannelOpening(&message) else { return nil }
            self = .open(opening)
        default: return nil
        }
    }

    package var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        switch self {
        case .acknowledgement: buffer.writeInteger(UInt8(2))
        case .open(let opening): opening.write(to: &buffer)
        }
        return buffer
    }
}

/// What is asked of a new data channel. Its kind holds for both directions.
package struct ChannelOpening: Sendable, Hashable {
    package enum Reliability: Sendable, Hashable {
        case reliable
        case retransmissions(UInt32)
        case lifetime(milliseconds: UInt32)
    }

    package var label: String
    /// The name of a protocol; empty where there is none.
    package var subprotocol = ""
    package var reliability = Reliability.reliable
    package var isOrdered = true
    /// 256 is normal.
    package var priority: UInt16 = 256

    package init(label: String) { self.label = label }

    /// What follows the type.
    fileprivate init?(_ message: inout ByteBuffer) {
        guard let (kind, priority, parameter) = message.readMultipleIntegers(as: (UInt8, UInt16, UInt32).self),
            let (labelLength, protocolLength) = message.readMultipleIntegers(as: (UInt16, UInt16).self),
            let label = message.readString(length: Int(labelLength)),
            let subprotocol = message.readString(length: Int(protocolLength))
        else { return nil }
        switch kind & 0x7F {
        case 0: reliability = .reliable
        case 1: reliability = .retransmissions(parameter)
        case 2: reliability = .lifetime(milliseconds: parameter)
        default: return nil
        }
        isOrdered = kind & 0x80 == 0
        self.priority = priority
        self.label = label
        self.subprotocol = subprotocol
    }

    fileprivate func write(to buffer: inout ByteBuffer) {
        let (kind, parameter): (UInt8, UInt32) =
            switch reliability {
            case .reliable: (0, 0)
            case .retransmissions(let count): (1, count)
            case .lifetime(let milliseconds): (2, milliseconds)
            }
        buffer.writeMultipleIntegers(
            UInt8(3), kind | (isOrdered ? 0 : 0x80), priority, parameter, UInt16(clamping: label.utf8.count),
            UInt16(clamping: subprotocol.utf8.count))
        buffer.writeBytes(label.utf8.prefix(Int(UInt16.max)))
        buffer.writeBytes(subprotocol.utf8.prefix(Int(UInt16.max)))
    }
}
