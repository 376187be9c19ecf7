import NIOCore
import PeerToPeer
import TestSupport
import Testing

@Suite struct SessionDescriptionTests {
    static let fingerprint =
        "sha-256 0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9:0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9"

    /// As Chromium writes it.
    static let chromium = """
        v=0\r
        o=- 4611731400430051336 2 IN IP4 127.0.0.1\r
        s=-\r
        t=0 0\r
        a=group:BUNDLE data\r
        a=extmap-allow-mixed\r
        a=msid-semantic: WMS\r
        m=application 54111 UDP/DTLS/SCTP webrtc-datachannel\r
        c=IN IP4 192.0.2.7\r
        a=candidate:1467250027 1 udp 2122260223 192.0.2.7 54111 typ host generation 0 network-id 1\r
        a=candidate:1 1 udp 2122194687 2f6f1f0e-0a5e-4b7f-9b37-0a5e4b7f9b37.local 50000 typ host generation 0\r
        a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0\r
        a=candidate:3 1 udp 1686052607 2001:db8::7 54111 typ srflx raddr :: rport 0\r
        a=candidate:3 2 udp 1686052607 2001:db8::7 54111 typ srflx raddr :: rport 0\r
        a=ice-ufrag:Xy+4\r
        a=ice-pwd:abcdefghijklmnopqrstuvwx\r
        a=ice-options:trickle\r
        a=fingerprint:\(fingerprint.lowercased())\r
        a=setup:actpass\r
        a=mid:data\r
        a=sctp-port:5001\r
        a=max-message-size:262144\r
        """

    @Test func anOfferOfABrowser() throws {
        let offer = try SessionDescription(Self.chromium)
        #expect(offer.mid == "data")
        #expect(offer.credentials == ICECredentials(ufrag: "Xy+4", password: "abcdefghijklmnopqrstuvwx"))
        #expect(offer.fingerprints == [try #require(CertificateFingerprint(Self.fingerprint))])
        #expect(offer.setup == .actpass)
        #expect(offer.sctpPort == 5001)
        #expect(offer.maximumMessageSize == 262144)
        // Names and other components are passed over.
        #expect(offer.candidates.map(\.address) == ["192.0.2.7", "192.0.2.7", "2001:db8::7"])
        #expect(offer.candidates[1].tcpRole == .active)
        #expect(!offer.hasAllCandidates)
    }

    /// What the peer takes, and how long messages to it are then. 0 is any length (RFC 8841, 6.1).
    @Test(arguments: [("262144", 32768), ("0", 32768), ("32768", 32768), ("4096", 4096), ("1", 1024)])
    func messagesAreAsLongAsThePeerTakesThem(_ size: String, _ expected: Int) throws {
        let text = Self.chromium.replacing("max-message-size:262144", with: "max-message-size:\(size)")
        #expect(try SessionDescription(text).messageBytes(atMost: 32768) == expected)
    }

    @Test func whoDoesNotSayHowMuchItTakesTakes64KB() throws {
        let text = Self.chromium.replacing("a=max-message-size:262144", with: "a=nothing")
        #expect(try SessionDescription(text).messageBytes(atMost: 1 << 20) == 65536)
    }

    @Test func whatTheSessionSaysHoldsForTheSection() throws {
        let text = """
            v=0
            o=- 1 2 IN IP4 0.0.0.0
            s=-
            t=0 0
            a=fingerprint:\(Self.fingerprint)
            a=ice-ufrag:abcd
            a=ice-pwd:abcdefghijklmnopqrstuv
            a=setup:active
            m=application 9 UDP/DTLS/SCTP webrtc-datachannel
            """
        let offer = try SessionDescription(text)
        #expect(offer.mid == "0")
        #expect(offer.setup == .active)
        #expect(offer.sctpPort == 5000)
        #expect(offer.maximumMessageSize == 65536)
    }

    @Test func otherSectionsAreRefusedInTheirPlaces() throws {
        let text = Self.chromium.replacing(
            "m=application", with: "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\nm=application")
        let offer = try SessionDescription(text)
        #expect(
            offer.sections == [
                .refused(media: "audio", transport: "UDP/TLS/RTP/SAVPF", format: "111"), .dataChannels,
            ])
        var answer = try SessionDescription(Self.chromium)
        answer.sections = offer.sections
        #expect(answer.text(session: 1).contains("m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"))
    }

    @Test func whatIsWrittenIsRead() throws {
        var description = try SessionDescription(Self.chromium)
        description.hasAllCandidates = true
        #expect(try SessionDescription(description.text(session: 77, version: 3)) == description)
    }

    @Test(arguments: [
        "", "v=1", "v=0\r\nm=audio 9 RTP/SAVPF 0", "v=0\nm=application", "GET / HTTP/1.1",
        chromium.replacing("a=ice-pwd", with: "a=ice-xyz"), chromium.replacing("a=fingerprint", with: "a=print"),
        chromium.replacing("sha-256", with: "md5"), chromium.replacing("Xy+4", with: "Xy "),
        chromium + String(repeating: "a=x\r\n", count: 600), chromium + String(repeating: "x", count: 40_000),
        chromium + String(repeating: "m=audio 9 RTP/SAVPF 0\r\n", count: 20),
    ]) func whatCannotBeReadIsRefused(_ text: String) {
        #expect(throws: SessionDescription.Problem.self) { try SessionDescription(text) }
    }

    /// Half of them each, side by side.
    @Test(arguments: [6, 7]) func mutilatedOffersDoNoHarm(_ seed: UInt64) {
        var generator = SplitMix64(state: seed)
        let good = Array(Self.chromium.utf8)
        var taken = 0
        for _ in 0..<(FuzzRounds.count / 2) {
            var bytes = good
            mutate(&bytes, using: &generator)
            guard let offer = try? SessionDescription(String(decoding: bytes, as: UTF8.self)) else { continue }
            taken += 1
            if offer.candidates.count > SessionDescription.maximumCandidates
                || taken % 64 == 0 && (try? SessionDescription(offer.text(session: 1))) != offer
            {
                Issue.record("\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(taken > 1000)
    }
}
