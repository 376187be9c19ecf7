import Containers
import NIOCore
import Publishing
import TestSupport
import Testing

/// A million mutated inputs each: no crash, no hang, no more memory than the limits allow.
@Suite struct PublishingFuzzTests {
    private static let rounds = 1_000_000

    @Test func chunkReader() {
        var random = SplitMix64(state: 1)
        let seeds = (0..<64).map { _ in Self.chunkStream(&random) }
        var limits = RTMPChunkReader.Limits()
        limits.messageLength = 4096
        limits.chunkStreams = 16
        limits.unfinishedBytes = 8192
        var messages = 0
        var errors = 0
        var worst = 0
        for _ in 0..<Self.rounds {
            var bytes = seeds[random.below(seeds.count)]
            mutate(&bytes, using: &random)
            var reader = RTMPChunkReader(limits: limits)
            let cut = random.below(bytes.count + 1)
            do throws(RTMPChunkReader.ParseError) {
                for piece in [bytes[..<cut], bytes[cut...]] {
                    reader.feed(ByteBuffer(bytes: piece))
                    while let message = try reader.next() {
                        messages += 1
                        if message.payload.readableBytes > limits.messageLength { worst = .max }
                    }
                    worst = max(worst, reader.unfinishedBytes)
                }
            } catch {
                errors += 1
            }
        }
        #expect(messages > Self.rounds)
        #expect(errors > Self.rounds / 100)
        #expect(worst <= limits.unfinishedBytes)
    }

    private static func chunkStream(_ random: inout SplitMix64) -> [UInt8] {
        var writer = RTMPChunkWriter()
        var bytes: [UInt8] = []
        for index in 0..<6 {
            if index == 2 {
                let size = UInt32(16 + random.below(64))
                writer.write(RTMPMessage(kind: 1, payload: ByteBuffer(integer: size)), on: 2) {
                    bytes += Array($0.readableBytesView)
                }
                writer.setChunkSize(Int(size))
            }
            let time = [UInt32(40), 0xFF_FFF0, 0x0100_0000, 0x7FFF_FFF0][random.below(4)] + UInt32(index * 10)
            let message = RTMPMessage(
                kind: [3, 4, 8, 9, 18, 20][random.below(6)], streamID: 1, timestamp: time,
                payload: ByteBuffer(repeating: UInt8(random.below(256)), count: random.below(120)))
            writer.write(message, on: UInt32(2 + random.below(5))) { bytes += Array($0.readableBytesView) }
        }
        return bytes
    }

    @Test func publisher() throws {
        var random = SplitMix64(state: 2)
        var options = RTMPPublisher.Options(target: try PushTarget("rtmp://u:p@media.example/live/cam"))
        options.random = [1, 2, 3, 4]
        // The value at each phase, and what a service says from there on.
        var publisher = RTMPPublisher(options)
        _ = publisher.start()
        var stages: [(RTMPPublisher, [UInt8])] = []
        var script = RTMPServerScript()
        let fresh = publisher
        _ = publisher.received(RTMPServerScript.handshake)
        script.control(5, 300)
        script.control(6, 5000)
        script.control(1, 4096)
        script.command(
            "_error", 1, .null,
            RTMPServerScript.info(
                "NetConnection.Connect.Rejected", level: "error",
                description: "[ authmod=adobe ] : ?reason=needauth&user=u&salt=s&challenge=c&opaque=o"))
        script.connectResult()
        stages.append((publisher, Array(script.take().readableBytesView)))
        script.connectResult()
        _ = publisher.received(script.take())
        script.ping(7)
        script.command("_result", 4, .null, .number(1))
        script.command("onStatus", 0, .null, RTMPServerScript.info("NetStream.Publish.Start"))
        stages.append((publisher, Array(script.take().readableBytesView)))
        script.command("_result", 4, .null, .number(1))
        _ = publisher.received(script.take())
        script.status("NetStream.Publish.Start")
        script.ping(7)
        script.command("onStatus", 0, .null, RTMPServerScript.info("NetStream.Unpublish.Success"))
        stages.append((publisher, Array(script.take().readableBytesView)))
        let handshake = Array(RTMPServerScript.handshake.readableBytesView)

        var accepted = 0
        var failed = 0
        var worst = 0
        for round in 0..<Self.rounds {
            // Whole handshakes are long; now and then is enough for so small a reader.
            let isWhole = round % 64 == 0
            let (start, said) = isWhole ? (fresh, handshake + stages[0].1) : stages[random.below(stages.count)]
            var value = start
            var bytes = said
            mutate(&bytes, using: &random)
            let cut = random.below(bytes.count + 1)
            for piece in [bytes[..<cut], bytes[cut...]] {
                for action in value.received(ByteBuffer(bytes: piece)) {
                    switch action {
                    case .accepted: accepted += 1
                    case .failed: failed += 1
                    case .send, .connectAgain: break
                    }
                }
                worst = max(worst, value.bufferedBytes)
            }
            switch random.below(3) {
            case 0: _ = value.connectionEnded(nil)
            case 1: _ = value.deadlinePassed()
            default: _ = value.close()
            }
        }
        #expect(accepted > Self.rounds / 100)
        #expect(failed > Self.rounds / 100)
        #expect(worst <= 2 * RTMPPublisher.maximumMessageLength)
    }
}
