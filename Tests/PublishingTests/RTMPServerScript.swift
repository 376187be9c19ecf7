import Containers
import NIOCore
import Publishing

/// What a service says, as bytes.
struct RTMPServerScript {
    private var writer = RTMPChunkWriter()
    private(set) var bytes = ByteBuffer()

    static var handshake: ByteBuffer {
        var bytes = ByteBuffer(integer: UInt8(3))
        bytes.writeRepeatingByte(0x11, count: 1536)
        bytes.writeRepeatingByte(0x22, count: 1536)
        return bytes
    }

    mutating func message(_ kind: UInt8, _ payload: ByteBuffer, on chunkStream: UInt32 = 2) {
        writer.write(RTMPMessage(kind: kind, payload: payload), on: chunkStream) { bytes.writeImmutableBuffer($0) }
    }

    mutating func control(_ kind: UInt8, _ value: UInt32) { message(kind, ByteBuffer(integer: value)) }

    mutating func ping(_ value: UInt32) {
        var payload = ByteBuffer(integer: UInt16(6))
        payload.writeInteger(value)
        message(4, payload)
    }

    mutating func command(_ name: String, _ transaction: Double, _ values: AMF0...) {
        var payload = ByteBuffer()
        AMF0.string(name).write(to: &payload)
        AMF0.number(transaction).write(to: &payload)
        for value in values { value.write(to: &payload) }
        message(20, payload, on: 3)
    }

    static func info(_ code: String, level: String = "status", description: String = "") -> AMF0 {
        .object([
            .init("level", .string(level)), .init("code", .string(code)), .init("description", .string(description)),
        ])
    }

    mutating func connectResult() {
        command("_result", 1, .object([]), Self.info("NetConnection.Connect.Success"))
    }

    mutating func status(_ code: String, level: String = "status") {
        command("onStatus", 0, .null, Self.info(code, level: level))
    }

    mutating func take() -> ByteBuffer {
        defer { bytes = ByteBuffer() }
        return bytes
    }
}
