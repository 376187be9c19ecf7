import Containers
import Media
import NIOCore

/// A small recording as the agent writes it, while it grows.
enum MP4Seeds {
    static var all: [[UInt8]] { (try? growing()).map { [$0] } ?? [] }

    private static func growing() throws -> [UInt8] {
        let format = StreamFormat(audio: AudioFormat(rate: 16000, channels: 1, bitrate: 32000))
        let identity = SegmentIdentity(
            segment: UniqueID(high: 1, low: 2), boot: UniqueID(high: 3, low: 4), device: "gate", channel: 2,
            stream: "main", start: .seconds(5), utcStart: 1_795_000_000_123)
        var writer = try MP4Writer(format: format, identity: identity)
        var actions = writer.begin()
        for index in 0..<6 {
            let frame = EncodedFrame(
                kind: .audio, isKey: true, time: .seconds(5) + .milliseconds(Int64(index) * 64),
                data: ByteBuffer(repeating: 0x21, count: 10))
            actions += try writer.append(frame, format: format)
        }
        return (actions + writer.flush()).flatMap { action -> [UInt8] in
            if case .append(let buffers) = action { buffers.flatMap { Array($0.readableBytesView) } } else { [] }
        }
    }
}
