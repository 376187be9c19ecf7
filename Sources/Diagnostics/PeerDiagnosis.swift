import ControlProtocol

/// Judges the ways between the device and viewers that connect peer to peer.
package enum PeerDiagnosis {
    /// What routers make of the device's addresses.
    package enum NAT: Sendable, Hashable, CaseIterable {
        /// No router changes them.
        case none
        /// The same for everybody.
        case endpointIndependent
        /// Another for each.
        case addressDependent
        /// There is one, and a single server cannot tell of which kind.
        case unknown
        /// Nobody answered over UDP.
        case noAnswer
    }

    package enum Outcome: Sendable, Hashable {
        case unresolved(String)
        /// The address that a STUN server sees, or that a relay grants, and how long it took.
        case answered(String, milliseconds: Int64)
        case refused(code: Int, reason: String)
        case wrongCredentials
        case nonsense(String)
        case silent
        case unreachable(String)
    }

    package struct Server: Sendable, Hashable {
        /// As it is configured.
        package var name: String
        package var outcome: Outcome

        package init(name: String, outcome: Outcome) {
            self.name = name
            self.outcome = outcome
        }

        var isUsable: Bool { if case .answered = outcome { true } else { false } }
    }

    package struct Examination: Sendable, Hashable {
        /// Why libraries are missing that links need; nil where they are there, or nobody looked.
        package var missing: String?
        package var stun: Server?
        package var relays: [Server]
        /// Nil where there is nobody to ask over UDP.
        package var nat: NAT?
        /// Whether viewers may only come through relays.
        package var relayOnly: Bool
        /// Whether viewers come from anywhere, over a broker.
        package var hasBroker: Bool

        package init(
            missing: String? = nil, stun: Server? = nil, relays: [Server] = [], nat: NAT? = nil,
            relayOnly: Bool = false, hasBroker: Bool = false
        ) {
            self.missing = missing
            self.stun = stun
            self.relays = relays
            self.nat = nat
            self.relayOnly = relayOnly
            self.hasBroker = hasBroker
        }

        var hasRelay: Bool { relays.contains(where: \.isUsable) }
    }

    package static func findings(_ seen: Examination) -> [FindingReport] {
        if let missing = seen.missing {
            return [
                finding(
                    "librariesMissing", .failure, "viewers cannot connect peer to peer: \(missing)",
                    "apt install libnice10 libssl3 libusrsctp2")
            ]
        }
        guard seen.stun != nil || !seen.relays.isEmpty else { return [withoutServers(seen)] }
        let server = seen.stun.map { stun($0, seen) }
        return [server].compactMap(\.self) + seen.relays.map(relay) + [ways(seen)]
    }

    // MARK: Servers

    private static func withoutServers(_ seen: Examination) -> FindingReport {
        let text = "no STUN server and no relay is configured, so viewers get through within the device's network only"
        guard seen.hasBroker else { return .ok(.p2p, text) }
        return finding(
            "noServers", .warning, text,
            "Viewers that come over the broker from elsewhere need them: set peers.stun, and peers.relays for difficult routers"
        )
    }

    private static func stun(_ server: Server, _ seen: Examination) -> FindingReport {
        let advice =
            seen.hasRelay
            ? "A relay answers, so UDP may be blocked on the way, or this server is off"
            : "Is the server on, and does the network let UDP out? A relay over TCP may get through: ?transport=tcp"
        return judge(server, "STUN server \(server.name)", whenSilent: advice) { address, milliseconds in
            "answers in \(milliseconds) ms and sees this device at \(address)"
        }
    }

    private static func relay(_ server: Server) -> FindingReport {
        let advice = "Is it on? Where UDP is blocked, ?transport=tcp may get through"
        return judge(server, "relay \(server.name)", whenSilent: advice) { address, milliseconds in
            "grants the address \(address) in \(milliseconds) ms"
        }
    }

    private static func judge(
        _ server: Server, _ subject: String, whenSilent: String, whenGood: (String, Int64) -> String
    ) -> FindingReport {
        func trouble(_ code: String, _ text: String, _ advice: String) -> FindingReport {
            finding(code, .failure, subject: subject, text, advice)
        }
        switch server.outcome {
        case .answered(let address, let milliseconds):
            return .ok(.p2p, subject: subject, whenGood(address, milliseconds))
        case .silent: return trouble("silent", "does not answer", whenSilent)
        case .unresolved(let reason):
            return trouble(
                "nameUnknown", "its name cannot be looked up: \(reason)",
                "Is the name written right? `edgectl doctor network` looks at the network itself")
        case .wrongCredentials:
            return trouble(
                "wrongCredentials", "refuses peers.relayUser and peers.relayPassword",
                "They must be a user and a password that the relay knows for good; what it gives for a time ends")
        case .refused(let code, let reason): return trouble("refused", "refuses: \(code) \(reason)", advice(code))
        case .nonsense(let what):
            return trouble("nonsense", "answers, but \(what)", "Is it a TURN server, and the port its own?")
        case .unreachable(let reason):
            return trouble(
                "unreachable", "cannot be reached: \(reason)",
                "Does the server run, on this port, and is there a way to it? A firewall may refuse it")
        }
    }

    private static func advice(_ code: Int) -> String {
        switch code {
        case 486, 508: "It has no more to give now: has this user too many allocations, is the relay full?"
        case 403: "Its settings forbid it to this device"
        case 442: "It relays no UDP, which links need"
        case 300: "It wants another server to be asked: name that in peers.relays"
        default: "Its log says more"
        }
    }

    // MARK: Routers

    /// In plain words, what all of it means for viewers.
    private static func ways(_ seen: Examination) -> FindingReport {
        let subject = "viewers from elsewhere"
        if seen.relayOnly, !seen.hasRelay {
            return finding(
                "noWay", .failure, subject: subject, "cannot connect: peers.relayOnly is set, and no relay can be used",
                "Mend the relay, or set peers.relayOnly to false")
        }
        if seen.relayOnly { return .ok(.p2p, subject: subject, "connect through the relay, as peers.relayOnly says") }
        switch seen.nat {
        case .some(.none):
            return .ok(.p2p, subject: subject, "connect directly: no router changes this device's address")
        case .endpointIndependent:
            let text =
                "connect directly: the router shows this device to everybody at one address (endpoint-independent mapping)"
            if seen.hasRelay {
                return .ok(.p2p, subject: subject, text + "; the relay serves those whose own routers do not")
            }
            return finding(
                "noRelay", .warning, subject: subject, text + ", but those whose own routers do not cannot connect",
                "For them configure a relay in peers.relays; mobile networks are often such")
        case .addressDependent:
            let text =
                "the router shows this device to each of them at another port (address-dependent mapping, \"symmetric NAT\")"
            if seen.hasRelay {
                return finding(
                    "relayedOnly", .warning, subject: subject, "connect through the relay only: \(text)",
                    "It works, at the relay's cost. Direct ways need another setting of the router (full cone), or a public address"
                )
            }
            return finding(
                "noWay", .failure, subject: subject, "cannot connect: \(text), and no relay can be used",
                "Configure a relay (TURN server) in peers.relays, or change the router's setting to full cone")
        case .unknown:
            return finding(
                "natUnknown", .warning, subject: subject,
                "may connect directly or not: there is a router that changes addresses, and one server alone cannot tell how",
                "Name a STUN server with two addresses (RFC 5780), or one that is not the relay, and look again"
                    + (seen.hasRelay ? "; the relay gets them through in any case" : ""))
        case .noAnswer, nil:
            if seen.hasRelay {
                return finding(
                    "noUDP", .warning, subject: subject, "connect through the relay only: no server answers over UDP",
                    "It works, at the relay's cost and with more delay. Does a firewall let UDP out?")
            }
            return finding(
                "noWay", .failure, subject: subject, "cannot connect: no server answers, over UDP or TCP",
                "Look at the servers above first; where a firewall blocks UDP, configure a relay with ?transport=tcp")
        }
    }

    private static func finding(
        _ code: String, _ verdict: FindingReport.Verdict, subject: String = "", _ text: String, _ advice: String
    ) -> FindingReport {
        FindingReport(.p2p, code, verdict, subject: subject, text, advice: advice)
    }
}
