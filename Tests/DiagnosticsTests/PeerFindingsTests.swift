import ControlProtocol
import Diagnostics
import Testing

@Suite struct PeerFindingsTests {
    private static func server(_ outcome: PeerDiagnosis.Outcome) -> PeerDiagnosis.Server {
        .init(name: "server.example.org:3478", outcome: outcome)
    }

    private static let good = server(.answered("203.0.113.1:4711", milliseconds: 12))
    private static let silent = server(.silent)

    private static func codes(
        stun: PeerDiagnosis.Server? = good, relays: [PeerDiagnosis.Server] = [], _ nat: PeerDiagnosis.NAT?,
        relayOnly: Bool = false
    ) -> [String] {
        PeerDiagnosis.findings(.init(stun: stun, relays: relays, nat: nat, relayOnly: relayOnly)).map(\.code)
    }

    @Test func whatItMeansForViewersIsSaid() {
        #expect(Self.codes(.some(.none)) == ["ok", "ok"])
        #expect(Self.codes(relays: [Self.good], .endpointIndependent) == ["ok", "ok", "ok"])
        #expect(Self.codes(.endpointIndependent) == ["ok", "noRelay"])
        #expect(Self.codes(relays: [Self.good], .addressDependent) == ["ok", "ok", "relayedOnly"])
        #expect(Self.codes(.addressDependent) == ["ok", "noWay"])
        #expect(Self.codes(.unknown) == ["ok", "natUnknown"])
        #expect(Self.codes(stun: Self.silent, relays: [Self.good], .noAnswer) == ["silent", "ok", "noUDP"])
        #expect(Self.codes(stun: Self.silent, relays: [Self.silent], .noAnswer) == ["silent", "silent", "noWay"])
        #expect(Self.codes(stun: nil, relays: [Self.good], nil) == ["ok", "noUDP"])
        #expect(Self.codes(.some(.none), relayOnly: true) == ["ok", "noWay"])
        #expect(Self.codes(relays: [Self.good], .addressDependent, relayOnly: true) == ["ok", "ok", "ok"])
    }

    @Test(arguments: [
        (PeerDiagnosis.Outcome.unresolved("Name or service not known"), "nameUnknown"), (.silent, "silent"),
        (.wrongCredentials, "wrongCredentials"), (.refused(code: 486, reason: "Quota"), "refused"),
        (.nonsense("it speaks HTTP"), "nonsense"), (.unreachable("Connection refused"), "unreachable"),
    ]) func whatIsWrongWithARelayIsNamed(_ outcome: PeerDiagnosis.Outcome, _ code: String) {
        let findings = PeerDiagnosis.findings(
            .init(stun: Self.good, relays: [Self.server(outcome)], nat: .addressDependent))
        #expect(findings.map(\.code) == ["ok", code, "noWay"])
        #expect(
            findings.allSatisfy { ($0.advice == nil) == ($0.verdict == .ok) && $0.area == .p2p && !$0.text.isEmpty })
    }

    @Test func whoNamesNoServersIsToldWhatThatMeans() {
        let alone = PeerDiagnosis.findings(.init())
        #expect(alone.map(\.verdict) == [.ok] && alone[0].text.contains("within the device's network"))
        #expect(PeerDiagnosis.findings(.init(hasBroker: true)).map(\.code) == ["noServers"])
        #expect(
            PeerDiagnosis.findings(.init(missing: "libnice.so.10", hasBroker: true)).map(\.code) == ["librariesMissing"]
        )
    }

    /// Every case ends in a sentence about viewers.
    @Test func nothingIsLeftOpen() {
        for nat in PeerDiagnosis.NAT.allCases.map(Optional.some) + [nil] {
            for relays in [[], [Self.good], [Self.silent]] {
                for relayOnly in [false, true] {
                    let seen = PeerDiagnosis.Examination(
                        stun: Self.good, relays: relays, nat: nat, relayOnly: relayOnly)
                    #expect(PeerDiagnosis.findings(seen).last?.subject == "viewers from elsewhere")
                }
            }
        }
    }
}
