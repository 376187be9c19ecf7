import Glibc
import PlatformProtocol
import TestSupport
import Testing

/// A million mutated inputs each, or what EDGE_AGENT_FUZZ_ROUNDS says: no crash, and no more memory than the limits allow.
@Suite struct PlatformFuzzTests {
    private static let rounds = getenv("EDGE_AGENT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1_000_000

    private static func messages(_ version: JT808Version) -> [JT808Message] {
        let address = JT1078Address(host: "10.0.0.1", tcpPort: 1078, udpPort: 1079)
        let selection = JT1078Selection(channel: 1, start: .none, end: .none)
        let encoding = JT808Encoding(mode: 0, resolution: 5, keyFrameInterval: 50, frameRate: 25, bitrate: 2000)
        let settings = JT808VideoSettings(live: encoding, stored: encoding, osd: 0)
        var writer = JT808Writer(version: version)
        JT808ChannelVideo([.init(logical: 1, settings: settings)]).write(to: &writer)
        return [
            .platformAnswer(JT808GeneralAnswer(answers: 1, id: 2, result: .done)),
            .registrationAnswer(JT808RegistrationAnswer(answers: 1, result: 0, code: [1, 2])),
            .resend(JT808ResendRequest(firstSerial: 1, indices: [1, 2, 3])),
            .setParameters(
                JT808SetParameters([
                    JT808Parameter(.heartbeat, number: 30), JT808Parameter(id: 0x77, value: writer.bytes),
                ])),
            .queryParameters(JT808QueryParameters([1, 2, 3])),
            .openLive(JT1078LiveRequest(address: address, channel: 1, dataType: 0, stream: 0)),
            .controlLive(JT1078LiveControl(channel: 1, command: 0)),
            .openPlayback(JT1078PlaybackRequest(address: address, channel: 1, start: .none, end: .none)),
            .controlPlayback(JT1078PlaybackControl(channel: 1, command: 5)),
            .queryResources(JT1078ResourceQuery(selection)),
            .resourceList(JT1078ResourceList(answers: 1, records: [.init(selection: selection, size: 1)])),
            .upload(
                JT1078UploadRequest(
                    host: [1], port: 2, user: [3], password: [4], path: [5], selection: selection, conditions: 1)),
            .turn(JT1078PTZ(channel: 1, value: 1, speed: 1)),
            .location(JT808Location(time: .none, extras: [.init(id: 0x14, number: 1)])),
            .attributes(
                JT808Attributes(
                    type: 0, manufacturer: "m", model: "m", terminalID: "t", iccid: "1", hardware: "h", firmware: "f",
                    gnss: 0, network: 0, version: version)),
        ]
    }

    @Test func frames() {
        var random = SplitMix64(state: 808)
        let frames = JT808Version.allCases.flatMap { version in
            Self.messages(version).map { message in
                JT808Frame(
                    header: JT808Header(
                        id: message.id, version: version, phone: PhoneNumber("1")?.bcd(version.phoneBytes) ?? [],
                        serial: 1),
                    body: message.body(version)
                ).bytes
            }
        }
        var splitter = JT808FrameSplitter()
        var (good, bad) = (0, 0)
        for _ in 0..<Self.rounds {
            var bytes = frames[random.below(frames.count)]
            mutate(&bytes, using: &random)
            for case .success(let escaped) in splitter.feed(bytes) {
                if (try? JT808Frame(escaped: escaped)) != nil { good += 1 } else { bad += 1 }
            }
            guard splitter.bufferedBytes <= JT808FrameSplitter.maximumLength else {
                Issue.record("the splitter holds \(splitter.bufferedBytes) bytes")
                return
            }
        }
        #expect(good > 0)
        #expect(bad > Self.rounds / 4)
    }

    @Test func bodies() {
        var random = SplitMix64(state: 1078)
        let seeds = JT808Version.allCases.map { version in
            (version, Self.messages(version).map { ($0.id, $0.body(version)) })
        }
        var (good, bad) = (0, 0)
        for round in 0..<Self.rounds {
            let (version, messages) = seeds[round & 1]
            var (id, body) = messages[random.below(messages.count)]
            mutate(&body, using: &random)
            if let message = try? JT808Message(id: id, body: body, version: version) {
                good += 1
                // What was read can be written, and reads the same again.
                let again = message.body(version)
                guard (try? JT808Message(id: id, body: again, version: version)) != nil, again.count <= 70000 else {
                    Issue.record("\(hex(id)) \(hex(body)) is written as \(hex(again))")
                    return
                }
                _ = JT808Decoding.fields(of: message, version: version)
            } else {
                bad += 1
            }
        }
        #expect(good > Self.rounds / 10)
        #expect(bad > Self.rounds / 10)
    }

    @Test func pieces() {
        var random = SplitMix64(state: 3)
        var reassembler = JT808Reassembler()
        var complete = 0
        for round in 0..<Self.rounds {
            let piece = JT808Header.Piece(total: UInt16(random.below(5)), index: UInt16(random.below(6)))
            let header = JT808Header(
                id: UInt16(random.below(2)), version: .v2013, phone: [], serial: UInt16(random.below(8)), piece: piece)
            let frame = JT808Frame(header: header, body: [UInt8](repeating: 1, count: random.below(1024)))
            if case .complete = reassembler.take(frame, piece: piece, now: Int64(round)) { complete += 1 }
            if round % 1000 == 0 { _ = reassembler.overdue(now: Int64(round), patience: 100, limit: 2) }
            guard reassembler.bufferedBytes <= JT808Reassembler.maximumBytes else {
                Issue.record("\(reassembler.bufferedBytes) bytes wait")
                return
            }
        }
        #expect(complete > Self.rounds / 100)
    }

    @Test func media() {
        var random = SplitMix64(state: 4)
        let packets = [JT1078Header.Kind.keyFrame, .audio, .passThrough].map { kind in
            let header = JT1078Header(
                payloadType: 6, sequence: 1, sim: [0, 1, 2, 3, 4, 5], channel: 1, kind: kind, split: .whole,
                timestamp: 1, dataLength: 60)
            return header.bytes + [UInt8](repeating: 7, count: 60)
        }
        var reader = JT1078Reader(simLength: 6)
        var found = 0
        for _ in 0..<Self.rounds {
            var bytes = packets[random.below(packets.count)]
            mutate(&bytes, using: &random)
            found += reader.feed(bytes).count
            guard reader.bufferedBytes <= JT1078Header.maximumReceivedData + 100 else {
                Issue.record("the reader holds \(reader.bufferedBytes) bytes")
                return
            }
        }
        #expect(found > Self.rounds / 10)
    }
}
