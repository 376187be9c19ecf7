import Containers
import NIOCore
import TestSupport
import Testing

/// A million mutated inputs each, if not told otherwise: no crash, no hang, no more memory than the limits allow.
@Suite struct ContainersFuzzTests {
    private static let rounds = FuzzRounds.count

    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

        mutating func mutate(_ bytes: inout [UInt8]) {
            for _ in 0...below(4) {
                guard !bytes.isEmpty else { return }
                let place = below(bytes.count)
                switch below(7) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
                case 1: bytes[place] ^= 1 << UInt8(below(8))
                case 2: bytes[place] = [0, 0xFF, 0x7F, 0x80][below(4)]
                case 3: bytes.removeSubrange(place..<min(place + 1 + below(8), bytes.count))
                case 4: bytes.insert(contentsOf: [3, 8, 10, 0, 0xFF].prefix(1 + below(5)), at: place)
                case 5: bytes.removeSubrange(place...)
                default: bytes += bytes[place..<min(place + 32, bytes.count)]
                }
            }
        }
    }

    @Test func amf0() {
        var random = Generator(state: 3)
        let values: [AMF0] = [
            .number(1), .boolean(true), .string("onMetaData"), .null, .undefined, .date(1e12),
            .object([.init("code", .string("NetStream.Publish.Start")), .init("level", .string("status"))]),
            .ecmaArray([.init("width", .number(1280)), .init("nested", .object([.init("a", .null)]))]),
            .strictArray([.number(1), .strictArray([.string("x"), .object([])])]),
            .string(String(repeating: "long", count: 20_000)),
        ]
        let seeds = values.map { value in
            var buffer = ByteBuffer()
            value.write(to: &buffer)
            return Array(buffer.readableBytesView)
        }
        var read = 0
        var refused = 0
        var isWithinLimits = true
        for round in 0..<Self.rounds {
            // The long string is slow to copy and has little in it to break.
            var bytes = seeds[round % 1000 == 0 ? seeds.count - 1 : random.below(seeds.count - 1)]
            random.mutate(&bytes)
            var buffer = ByteBuffer(bytes: bytes)
            while buffer.readableBytes > 0 {
                do throws(AMF0.ParseError) {
                    let value = try AMF0.read(from: &buffer)
                    read += 1
                    if Self.depth(value) > AMF0.maximumDepth + 1 { isWithinLimits = false }
                } catch {
                    refused += 1
                    break
                }
            }
        }
        #expect(read > Self.rounds / 4)
        #expect(refused > Self.rounds / 4)
        #expect(isWithinLimits)
    }

    private static func depth(_ value: AMF0) -> Int {
        switch value {
        case .object(let pairs), .ecmaArray(let pairs): 1 + (pairs.map { depth($0.value) }.max() ?? 0)
        case .strictArray(let values): 1 + (values.map { depth($0) }.max() ?? 0)
        default: 1
        }
    }

    @Test func hostileAMF0IsBounded() {
        func error(_ bytes: [UInt8]) -> AMF0.ParseError? {
            var buffer = ByteBuffer(bytes: bytes)
            do throws(AMF0.ParseError) {
                _ = try AMF0.read(from: &buffer)
                return nil
            } catch { return error }
        }
        #expect(error(Array(repeating: [10, 0, 0, 0, 1], count: 1000).flatMap { $0 }) == .tooDeep)
        #expect(error([10, 0xFF, 0xFF, 0xFF, 0xFF]) == .tooManyValues)
        #expect(error([10, 0, 0, 0x0F, 0xF0] + Array(repeating: 5, count: 10)) == .truncated)
        #expect(error([12, 0xFF, 0xFF, 0xFF, 0xFF, 1]) == .truncated)
        #expect(error([4]) == .unknownMarker(4))
    }

    @Test func flvReader() {
        var random = Generator(state: 4)
        var seed = FLVWriter.header(hasVideo: true, hasAudio: true)
        var script = ByteBuffer()
        AMF0.string("onMetaData").write(to: &script)
        AMF0.ecmaArray([.init("width", .number(640))]).write(to: &script)
        let bodies: [(FLVTag.Kind, ByteBuffer)] = [
            (.script, script), (.video, ByteBuffer(bytes: [0x17, 0, 0, 0, 0, 1, 0x64, 0, 31, 0xFF, 0xE1, 0, 1, 0x67])),
            (.audio, ByteBuffer(bytes: [0xAF, 0, 0x14, 0x08])),
            (.video, ByteBuffer(bytes: [0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88])),
            (.audio, ByteBuffer(bytes: [0xAF, 1, 0x21, 0x10, 4])),
            (.video, ByteBuffer(bytes: [0x27, 1, 0xFF, 0xFF, 0xFE, 0, 0, 0, 2, 0x41, 0x9A])),
        ]
        for (index, (kind, body)) in bodies.enumerated() {
            FLVWriter.write(FLVTag(kind: kind, body: body), timestamp: 0xFF_FFF0 + UInt32(index * 10), to: &seed)
        }
        let valid = Array(seed.readableBytesView)
        let limit = 4096
        var tags = 0
        var refused = 0
        var payloads = 0
        var worst = 0
        for _ in 0..<Self.rounds {
            var bytes = valid
            random.mutate(&bytes)
            var reader = FLVReader(maximumBodyLength: limit)
            let cut = random.below(bytes.count + 1)
            do throws(FLVReader.ParseError) {
                for piece in [bytes[..<cut], bytes[cut...]] {
                    reader.feed(ByteBuffer(bytes: piece))
                    while let tag = try reader.next() {
                        tags += 1
                        if tag.body.readableBytes > limit { worst = .max }
                        if FLVPayload(tag) != nil { payloads += 1 }
                    }
                    worst = max(worst, reader.bufferedBytes)
                }
            } catch {
                refused += 1
            }
        }
        #expect(tags > Self.rounds)
        #expect(payloads > Self.rounds)
        #expect(refused > Self.rounds / 100)
        #expect(worst <= limit + FLVTag.headerLength + FLVTag.trailerLength + valid.count + 256)
    }
}
