import NIOCore
import Publishing
import TestSupport
import Testing

@Suite struct RTMPChunkTests {
    private func write(_ message: RTMPMessage, on id: UInt32, _ writer: inout RTMPChunkWriter) -> [UInt8] {
        var bytes: [UInt8] = []
        writer.write(message, on: id) { bytes += Array($0.readableBytesView) }
        return bytes
    }

    @Test func goldenBytes() {
        var writer = RTMPChunkWriter()
        let first = RTMPMessage(kind: 9, streamID: 1, timestamp: 0x01_0203, payload: ByteBuffer(bytes: [7, 8, 9]))
        #expect(write(first, on: 6, &writer) == [0x06, 1, 2, 3, 0, 0, 3, 9, 1, 0, 0, 0, 7, 8, 9])
        var second = first
        second.timestamp += 40
        #expect(write(second, on: 6, &writer) == [0x46, 0, 0, 40, 0, 0, 3, 9, 7, 8, 9])
        // Backwards is an anomaly: a whole header again.
        #expect(write(first, on: 6, &writer).prefix(4) == [0x06, 1, 2, 3])
    }

    @Test func extendedTimestampIsRepeatedInContinuations() {
        var writer = RTMPChunkWriter()
        writer.setChunkSize(2)
        let message = RTMPMessage(
            kind: 9, streamID: 1, timestamp: 0x0100_0005, payload: ByteBuffer(bytes: [1, 2, 3, 4, 5]))
        #expect(
            write(message, on: 6, &writer) == [
                0x06, 0xFF, 0xFF, 0xFF, 0, 0, 5, 9, 1, 0, 0, 0, 1, 0, 0, 5, 1, 2,
                0xC6, 1, 0, 0, 5, 3, 4,
                0xC6, 1, 0, 0, 5, 5,
            ])
    }

    @Test func exactly24BitsIsExtended() {
        var writer = RTMPChunkWriter()
        let message = RTMPMessage(kind: 8, streamID: 1, timestamp: 0xFF_FFFF, payload: ByteBuffer(bytes: [1]))
        #expect(
            write(message, on: 4, &writer)
                == [0x04, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8, 1, 0, 0, 0, 0x00, 0xFF, 0xFF, 0xFF, 1])
        var before = message
        before.timestamp = 0xFF_FFFE
        #expect(write(before, on: 4, &writer).prefix(4) == [0x04, 0xFF, 0xFF, 0xFE])
    }

    @Test func bodyIsSharedNotCopied() {
        var writer = RTMPChunkWriter()
        writer.setChunkSize(65536)
        let body = ByteBuffer(repeating: 7, count: 100_000)
        let address = body.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        var seen: [UInt] = []
        writer.write(RTMPMessage(kind: 9, payload: body), on: 6) { part in
            seen.append(part.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) })
        }
        #expect(seen.count == 4)
        #expect(seen[1] == address)
        #expect(seen[3] == address + 65536)
    }

    /// Random messages, chunk sizes, interleaving and cuts; time stamps around every border.
    @Test(arguments: 0..<40) func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var writer = RTMPChunkWriter()
        let omitsExtended = seed % 4 == 3
        var bytes: [UInt8] = []
        var expected: [UInt32: [RTMPMessage]] = [:]
        let bases: [UInt32] = [0, 0xFF_FFFF - 300, 0x7FFF_FFFF - 300, 0xFFFF_FFFF - 100_000]
        for round in 0..<12 {
            let size = 1 + random.below(round % 3 == 0 ? 16 : 5000)
            let sizeMessage = RTMPMessage(kind: 1, payload: ByteBuffer(integer: UInt32(size)))
            writer.write(sizeMessage, on: 2) { bytes += Array($0.readableBytesView) }
            expected[2, default: []].append(sizeMessage)
            writer.setChunkSize(size)
            // Each chunk stream's chunks in order, the streams in any.
            var chunks: [[[UInt8]]] = []
            for id in UInt32(3)...7 {
                var queue: [[UInt8]] = []
                for step in 0..<random.below(4) {
                    let length = 1 + random.below(random.below(2) == 0 ? 40 : 9000)
                    let base = bases[(Int(id) + Int(seed)) % bases.count]
                    let time = base &+ UInt32(round * 100 + step * 17 + random.below(20))
                    // Bytes that never look like an extended time stamp by accident.
                    let message = RTMPMessage(
                        kind: [8, 9, 18, 20][random.below(4)], streamID: 1, timestamp: time,
                        payload: ByteBuffer(bytes: (0..<length).map { UInt8(0x30 + $0 % 50) }))
                    var parts: [[UInt8]] = []
                    writer.write(message, on: id) { parts.append(Array($0.readableBytesView)) }
                    for index in stride(from: 0, to: parts.count, by: 2) {
                        var header = parts[index]
                        if omitsExtended, index > 0, header.count == 5 { header.removeLast(4) }
                        queue.append(header + parts[index + 1])
                    }
                    expected[id, default: []].append(message)
                }
                chunks.append(queue)
            }
            while chunks.contains(where: { !$0.isEmpty }) {
                let index = random.below(chunks.count)
                if !chunks[index].isEmpty { bytes += chunks[index].removeFirst() }
            }
        }

        var reader = RTMPChunkReader()
        var count = 0
        var left = bytes[...]
        var seen: [RTMPMessage] = []
        while !left.isEmpty {
            let piece = left.prefix(1 + random.below(random.below(3) == 0 ? 4 : 3000))
            left = left.dropFirst(piece.count)
            reader.feed(ByteBuffer(bytes: piece))
            while let message = try reader.next() {
                seen.append(message)
                count += 1
            }
        }
        #expect(count == expected.values.reduce(0) { $0 + $1.count })
        #expect(Set(seen) == Set(expected.values.flatMap { $0 }))
        #expect(reader.unfinishedBytes == 0)
        #expect(reader.bufferedBytes == 0)
    }

    @Test func formatThreeStartsAMessageWithTheLastDelta() throws {
        var reader = RTMPChunkReader()
        reader.feed(ByteBuffer(bytes: [0x06, 0, 0, 100, 0, 0, 1, 9, 1, 0, 0, 0, 1]))
        reader.feed(ByteBuffer(bytes: [0x86, 0, 0, 40, 2]))
        reader.feed(ByteBuffer(bytes: [0xC6, 3, 0xC6, 4]))
        var times: [UInt32] = []
        while let message = try reader.next() { times.append(message.timestamp) }
        #expect(times == [100, 140, 180, 220])
    }

    @Test func longChunkStreamIDs() throws {
        var reader = RTMPChunkReader()
        reader.feed(ByteBuffer(bytes: [0x00, 10, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 1]))
        reader.feed(ByteBuffer(bytes: [0x01, 10, 1, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 2]))
        #expect(try reader.next()?.kind == 9)
        #expect(try reader.next()?.kind == 8)
    }

    @Test func abortDiscards() throws {
        var reader = RTMPChunkReader()
        reader.feed(ByteBuffer(bytes: [0x06, 0, 0, 0, 0, 1, 0, 9, 1, 0, 0, 0] + Array(repeating: 1, count: 128)))
        #expect(try reader.next() == nil)
        #expect(reader.unfinishedBytes == 128)
        reader.feed(ByteBuffer(bytes: [0x02, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 6]))
        #expect(try reader.next()?.kind == 2)
        #expect(reader.unfinishedBytes == 0)
    }

    @Test func limits() {
        var limits = RTMPChunkReader.Limits()
        limits.messageLength = 1000
        limits.chunkStreams = 2
        limits.unfinishedBytes = 200
        func error(_ bytes: [UInt8]) -> RTMPChunkReader.ParseError? {
            var reader = RTMPChunkReader(limits: limits)
            reader.feed(ByteBuffer(bytes: bytes))
            do throws(RTMPChunkReader.ParseError) {
                while try reader.next() != nil {}
                return nil
            } catch { return error }
        }

        let part = Array(repeating: UInt8(1), count: 128)
        #expect(error([0x06, 0, 0, 0, 0, 3, 0xE9, 9, 0, 0, 0, 0]) == .messageTooLong(1001))
        let empty: [UInt8] = [0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]
        #expect(error([0x04] + empty + [0x05] + empty + [0x06] + empty) == .tooManyChunkStreams)
        #expect(error([0xC6]) == .headerMissing(chunkStream: 6))
        #expect(error([0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0]) == .badChunkSize(0))
        #expect(
            error([0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x80, 0, 0, 1]) == .badChunkSize(0x8000_0001))
        let long: [UInt8] = [0x06, 0, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0] + part
        #expect(error(long + [0x06, 0, 0, 0]) == .messageInterrupted(chunkStream: 6))
        #expect(error(long + [0x05, 0, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0] + part) == .tooManyUnfinishedBytes)
    }
}
