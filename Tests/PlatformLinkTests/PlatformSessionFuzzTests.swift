import Glibc
import Media
import PlatformLink
import PlatformProtocol
import TestSupport
import Testing

/// A million mutated inputs to a terminal that is logged in, or what EDGE_AGENT_FUZZ_ROUNDS says.
@Suite struct PlatformSessionFuzzTests {
    private static let rounds = getenv("EDGE_AGENT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1_000_000

    @Test func nothingAPlatformSendsHurts() {
        var random = SplitMix64(state: 42)
        let start = JT808Time(milliseconds: 1_700_000_000_000)
        let selection = JT1078Selection(channel: 0, start: .none, end: .none)
        let messages: [JT808Message] = [
            SessionRig.live(1), SessionRig.live(2, type: 2), SessionRig.live(1, type: 4),
            .controlLive(JT1078LiveControl(channel: 1, command: 0)),
            .openPlayback(JT1078PlaybackRequest(address: SessionRig.address, channel: 1, start: start, end: .none)),
            .controlPlayback(JT1078PlaybackControl(channel: 1, command: 3)),
            .queryResources(JT1078ResourceQuery(selection)), .queryAllParameters, .queryAttributes, .queryLocation,
            .setParameters(JT808SetParameters([JT808Parameter(.heartbeat, number: 30)])),
            .turn(JT1078PTZ(channel: 1, value: 1, speed: 1)), .zoom(JT1078PTZ(channel: 1, value: 1)),
            .track(JT808Tracking(interval: 1, validity: 1)),
            .upload(
                JT1078UploadRequest(
                    host: [1], port: 2, user: [], password: [], path: [], selection: selection, conditions: 0)),
            .resend(JT808ResendRequest(firstSerial: 0, indices: [1])),
            .registrationAnswer(JT808RegistrationAnswer(answers: 0, result: 0, code: [1])),
            .platformAnswer(JT808GeneralAnswer(answers: 0, id: 0x0102, result: .failed)),
        ]
        var rig = SessionRig()
        rig.logIn()
        var performed = 0
        for round in 0..<Self.rounds {
            let message = messages[random.below(messages.count)]
            var body = message.body(.v2013)
            if random.below(4) > 0 { mutate(&body, using: &random) }
            body = Array(body.prefix(JT808Header.maximumBody))
            let piece: JT808Header.Piece? =
                random.below(16) == 0 ? .init(total: UInt16(random.below(4)), index: UInt16(random.below(5))) : nil
            let header = JT808Header(
                id: message.id, version: .v2013, encryption: random.below(64) == 0 ? 1 : 0,
                phone: [0, 0, 0, 0, 0, 0], serial: UInt16(truncatingIfNeeded: round), piece: piece)
            var bytes = JT808Frame(header: header, body: body).bytes
            if random.below(8) == 0 { mutate(&bytes, using: &random) }
            rig.receive(bytes)
            performed += rig.orders.count
            if round % 16 == 0 { rig.wake(after: .milliseconds(100)) }
            guard rig.session.streams.all.count <= PlatformStreams.maximum else {
                Issue.record("\(rig.session.streams.all.count) streams")
                return
            }
            if rig.session.state == .offline || rig.session.state == .connecting {
                while rig.session.state == .offline { rig.wake(after: .seconds(60)) }
                rig.connect()
                if rig.ids.contains(0x0100), let serial = rig.sent.last?.0 {
                    rig.receive(.registrationAnswer(.init(answers: serial, result: 0, code: [7])))
                }
                rig.acknowledge(0x0102)
            }
        }
        #expect(performed > Self.rounds / 100)
    }
}
