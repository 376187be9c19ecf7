import PeerToPeer
import Rendezvous
import Signalling
import TestSupport
import Testing

@Suite struct RendezvousRequestTests {
    private static let candidate = "a=candidate:1 1 udp 2122260223 192.0.2.7 54111 typ host"

    @Test func whatViewersSay() throws {
        #expect(
            try RendezvousRequest(.offers, #"{"id":"v-1","sdp":"v=0","ticket":"t"}"#.utf8)
                == .offer(id: "v-1", sdp: "v=0", ticket: "t"))
        #expect(try RendezvousRequest(.offers, #"{"id":7,"sdp":""}"#.utf8) == .offer(id: "7", sdp: "", ticket: nil))
        let fragment = try #require(CandidateFragment(Self.candidate))
        #expect(
            try RendezvousRequest(.candidates, #"{"link":"ab","candidates":"\#(Self.candidate)"}"#.utf8)
                == .candidates(fragment, link: "ab"))
    }

    @Test func whatAServiceSays() throws {
        #expect(
            try RendezvousRequest(
                .commands, #"{"id":"a","method":"post","path":"/api/v1/pushes","body":{"channel":0}}"#.utf8)
                == .command(id: "a", method: .post, path: "/api/v1/pushes", body: #"{"channel":0}"#))
        #expect(
            try RendezvousRequest(.commands, #"{"id":"a","path":"/api/v1/status"}"#.utf8)
                == .command(id: "a", method: .get, path: "/api/v1/status", body: ""))
    }

    @Test(
        arguments: [
            (RendezvousRequest.Kind.offers, "", nil), (.offers, "[]", nil), (.offers, #"{"sdp":"v=0"}"#, nil),
            (.offers, #"{"id":"a/b","sdp":"v=0"}"#, nil), (.offers, #"{"id":"+","sdp":"v=0"}"#, nil),
            (.offers, #"{"id":"a"}"#, "a"), (.candidates, #"{"link":"a"}"#, nil),
            (.candidates, #"{"link":"+","candidates":""}"#, nil), (.commands, #"{"id":"a"}"#, "a"),
            (.commands, #"{"id":"a","path":"api"}"#, "a"), (.commands, #"{"id":"a","path":"/a b"}"#, "a"),
            (.commands, #"{"id":"a","path":"/a","method":"PUT"}"#, "a"),
        ] as [(RendezvousRequest.Kind, String, String?)])
    func whatCannotBeReadIsRefused(_ kind: RendezvousRequest.Kind, _ text: String, _ id: String?) {
        do throws(RendezvousRequest.Problem) {
            Issue.record("\(try RendezvousRequest(kind, text.utf8)) is taken")
        } catch {
            #expect(error.id == id)
        }
    }

    @Test func mutilatedMessagesDoNoHarm() {
        var generator = SplitMix64(state: 1883)
        let seeds: [(RendezvousRequest.Kind, [UInt8])] = [
            (.offers, Array(#"{"id":"v-1","sdp":"v=0\r\n","ticket":"a.b.c"}"#.utf8)),
            (.candidates, Array(#"{"link":"ab","candidates":"\#(Self.candidate)"}"#.utf8)),
            (.commands, Array(#"{"id":"a","method":"POST","path":"/api/v1/pushes","body":{"channel":0}}"#.utf8)),
        ]
        var taken = 0
        for round in 0..<FuzzRounds.count {
            var (kind, bytes) = seeds[round % seeds.count]
            mutate(&bytes, using: &generator)
            guard let request = try? RendezvousRequest(kind, bytes) else { continue }
            taken += 1
            // Whatever becomes part of a topic is a level of it.
            let topics = RendezvousTopics(prefix: "p", device: "d")
            switch request {
            case .offer(let id, _, _), .command(let id, _, _, _):
                if topics.answer(id).split(separator: "/").count != 4 || id.contains(where: "+#".contains) {
                    Issue.record("\(id)")
                }
            case .candidates: break
            }
        }
        #expect(taken > FuzzRounds.count / 100)
    }

    @Test func aDevicesNameIsOneLevel() {
        #expect(RendezvousTopics(prefix: "edge-agent", device: "a/b+#").offers == "edge-agent/a_b__/offers")
    }

    @Test func addressesOfBrokers() {
        let plain = RendezvousSettings("mqtt://broker.example.org")
        #expect(plain?.port == 1883 && plain?.usesTLS == false)
        let secure = RendezvousSettings("mqtts://[2001:db8::1]:8884")
        #expect(secure?.host == "2001:db8::1" && secure?.port == 8884 && secure?.usesTLS == true)
        for text in ["", "broker", "http://broker", "mqtt://", "mqtt://a/b", "mqtt://a:0", "mqtts://a:70000"] {
            #expect(RendezvousSettings(text) == nil)
        }
    }
}
