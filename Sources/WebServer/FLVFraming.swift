import NIOCore

/// How the FLV byte stream reaches a viewer.
package enum FLVFraming: Sendable {
    /// As it is, behind an HTTP response head, up to the connection's end.
    case http
    /// In chunks, one for each tag (RFC 9112, 7.1), so that an end can be told from a broken connection.
    case chunked
    /// In binary WebSocket messages, one for each tag. The payloads joined are the same byte stream.
    case webSocket

    /// Writes what stands in front of `count` bytes: for WebSockets an unmasked, final, binary frame's header
    /// (RFC 6455, 5.2). A chunk's end goes in front of the next one, so that a frame stays two buffers.
    package func writeHeader(payload count: Int, isFirst: Bool = false, to buffer: inout ByteBuffer) {
        switch self {
        case .http: break
        case .chunked: buffer.writeString((isFirst ? "" : "\r\n") + String(count, radix: 16) + "\r\n")
        case .webSocket: WebSocketWriter.writeHeader(opcode: WebSocketWriter.binary, payload: count, to: &buffer)
        }
    }

    /// What a stream that has come to its end is followed by.
    package func end(isFirst: Bool) -> ByteBuffer {
        guard case .chunked = self else { return ByteBuffer() }
        return ByteBuffer(string: (isFirst ? "" : "\r\n") + "0\r\n\r\n")
    }
}

/// WebSocket frames from the server to a viewer.
package enum WebSocketWriter {
    static let text: UInt8 = 0x1
    static let binary: UInt8 = 0x2
    static let close: UInt8 = 0x8
    static let ping: UInt8 = 0x9
    static let pong: UInt8 = 0xA

    package static func writeHeader(opcode: UInt8, payload count: Int, to buffer: inout ByteBuffer) {
        let final = 0x80 | UInt16(opcode)
        if count < 126 {
            buffer.writeInteger(final << 8 | UInt16(count))
        } else if count <= 0xFFFF {
            buffer.writeMultipleIntegers(final << 8 | 126, UInt16(count))
        } else {
            buffer.writeMultipleIntegers(final << 8 | 127, UInt64(count))
        }
    }

    /// A control frame; its payload is at most 125 bytes (RFC 6455, 5.5).
    package static func control(opcode: UInt8, payload: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(2 + payload.readableBytes)
        writeHeader(opcode: opcode, payload: payload.readableBytes, to: &buffer)
        buffer.writeImmutableBuffer(payload)
        return buffer
    }

    package static func close(_ code: WebSocketCloseCode, reason: String) -> ByteBuffer {
        var payload = ByteBuffer()
        payload.writeInteger(code.rawValue)
        payload.writeBytes(reason.utf8.prefix(123))
        return control(opcode: close, payload: payload)
    }
}

/// The close codes in use (RFC 6455, 7.4.1).
package enum WebSocketCloseCode: UInt16, Sendable {
    case streamEnded = 1000
    case goingAway = 1001
    case protocolError = 1002
    case tooLong = 1009
    case internalError = 1011
    /// Codes of our own, after the HTTP status of the same meaning: refused, and ended by the device.
    case refused = 4403
    case talkEnded = 4410
}
