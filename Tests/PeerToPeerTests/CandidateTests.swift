import PeerToPeer
import TestSupport
import Testing

@Suite struct CandidateTests {
    static let fragment = """
        a=ice-ufrag:Xy+4\r
        a=candidate:1467250027 1 udp 2122260223 192.0.2.7 54111 typ host generation 0 network-id 1\r
        a=candidate:2 1 tcp 1518280447 2001:db8::7 9 typ host tcptype active generation 0\r
        a=candidate:3 1 udp 1686052607 203.0.113.9 54111 typ srflx raddr 192.0.2.7 rport 54111\r
        a=end-of-candidates\r
        """

    @Test func aFragmentOfABrowser() throws {
        let fragment = try #require(CandidateFragment(Self.fragment))
        #expect(fragment.ufrag == "Xy+4" && fragment.isLast)
        #expect(fragment.candidates.map(\.kind) == [.host, .host, .serverReflexive])
        #expect(CandidateFragment(fragment.text) == fragment)
    }

    /// C would read the address up to the zero byte.
    @Test func anAddressHasNoZeroByteInIt() {
        #expect(ICECandidate("candidate:2 1 udp 1 2001:db8::\0 9 typ host") == nil)
        #expect(!ICECandidate.isAddress("192.0.2.7\0") && ICECandidate.isAddress("192.0.2.7"))
    }

    @Test func mutilatedFragmentsDoNoHarm() {
        var generator = SplitMix64(state: 8840)
        let good = Array(Self.fragment.utf8)
        var taken = 0
        for round in 0..<FuzzRounds.count {
            var bytes = good
            mutate(&bytes, using: &generator)
            guard let fragment = CandidateFragment(String(decoding: bytes, as: UTF8.self)) else { continue }
            taken += fragment.candidates.count
            // To read them again takes longer than all else.
            guard round % 16 == 0 else { continue }
            for candidate in fragment.candidates
            where candidate.line.utf8.contains(where: { $0 < 32 })
                || !ICECandidate.isAddress(candidate.address) || ICECandidate(candidate.line) != candidate
            {
                Issue.record("\(candidate)")
            }
        }
        #expect(taken > FuzzRounds.count)
    }
}
