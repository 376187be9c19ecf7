import ControlProtocol

/// Judges the network, and the services that the configuration names.
package enum NetworkDiagnosis {
    /// Somebody whom the agent connects to.
    package struct Service: Sendable, Hashable {
        /// Such as "broker" or "push target".
        package var name: String
        package var host: String
        package var port: Int

        package init(name: String, host: String, port: Int) {
            self.name = name
            self.host = host
            self.port = port
        }
    }

    /// IPv6 does not work below, and what is smaller is a mistake or a tunnel in a tunnel.
    static let leastPacket = 1280

    package static func findings(_ probe: NetworkProbe) -> [FindingReport] {
        let addresses = probe.interfaces.flatMap(\.addresses)
        let routable = addresses.filter { !isLinkLocal($0) }
        guard !addresses.isEmpty else {
            return [
                FindingReport(
                    .network, "noAddress", .failure, "no interface is up and has an address",
                    advice: "Is the cable in, the radio on? `ip addr` and `journalctl -u systemd-networkd` say more")
            ]
        }
        var found: [FindingReport] = []
        func add(
            _ code: String, _ verdict: FindingReport.Verdict, subject: String = "", _ text: String, _ advice: String
        ) {
            found.append(FindingReport(.network, code, verdict, subject: subject, text, advice: advice))
        }
        if routable.isEmpty {
            add(
                "onlyLinkLocal", .warning, "there are link-local addresses only: \(addresses.joined(separator: ", "))",
                "Nobody gave the device an address: is there a DHCP server, is the VLAN the right one?")
        }
        switch probe.gateway {
        case .answers, .unknown: break
        case .none:
            add(
                "noRoute", .warning, "no route leads out of the local network",
                "Without a gateway no service beyond this network can be reached: `ip route`; a network of its own needs none"
            )
        case .silent(let address):
            add(
                "gatewaySilent", .failure, subject: address, "the gateway does not answer",
                "Is the router on, is its address right (`ip route`), is the cable in the right port?")
        }
        for interface in probe.interfaces {
            guard let packet = interface.maximumPacket, packet < leastPacket else { continue }
            add(
                "smallPackets", .warning, subject: interface.name, "its packets have at most \(packet) bytes (MTU)",
                "`ip link set \(interface.name) mtu 1500`, unless the link is known to take no more")
        }
        guard found.isEmpty else { return found }
        let gateway = if case .answers(let address) = probe.gateway { ", gateway \(address) answers" } else { "" }
        return [.ok(.network, "\(routable.joined(separator: ", "))\(gateway)")]
    }

    package static func finding(
        _ service: Service, _ probe: ConnectionProbe, nameServers: [String]
    ) -> FindingReport {
        let subject = "\(service.name) \(service.host):\(service.port)"
        switch probe.outcome {
        case .connected(let milliseconds, let packet):
            if let packet, packet < leastPacket {
                return FindingReport(
                    .network, "smallPackets", .warning, subject: subject,
                    "connects, but packets on the way have at most \(packet) bytes",
                    advice: "A tunnel or a provider makes them small; large pictures will be slow there")
            }
            return .ok(.network, subject: subject, "connects in \(milliseconds) ms")
        case .nameUnknown(let reason):
            if nameServers.isEmpty {
                return FindingReport(
                    .network, "noNameServer", .failure, subject: subject, "no name server is configured: \(reason)",
                    advice: "/etc/resolv.conf names none: DHCP should, or `resolvectl dns` does")
            }
            return FindingReport(
                .network, "nameUnknown", .failure, subject: subject, "its name cannot be looked up: \(reason)",
                advice: """
                    Is the name written right? Does the name server answer (\(nameServers.joined(separator: ", ")))? \
                    `resolvectl query \(service.host)`
                    """)
        case .refused(let reason):
            return FindingReport(
                .network, "refused", .failure, subject: subject,
                "\(probe.addresses.joined(separator: ", ")): \(reason)",
                advice: "Does the service run, and on this port? A firewall may refuse it on the way")
        case .silent:
            return FindingReport(
                .network, "unreachable", .failure, subject: subject,
                "\(probe.addresses.joined(separator: ", ")) does not answer",
                advice: "Is the service on? Is there a route to it, and no firewall in between? `ip route get ADDRESS`")
        }
    }

    // MARK: What the agent's own connections report

    package static func findings(_ status: StatusReport) -> [FindingReport] {
        var found = status.pushes.compactMap { push -> FindingReport? in
            guard push.state == .waiting, let cause = push.cause else { return nil }
            return FindingReport(
                .network, "pushWaits", .failure, subject: "push \(push.id) to \(push.target)",
                "\(cause.detail) (\(cause.code.rawValue)), \(push.attempts) attempts so far", advice: advice(cause.code)
            )
        }
        for platform in status.platforms ?? [] where platform.state != .online {
            found.append(
                FindingReport(
                    .network, "platformAway", .failure, subject: "platform \(platform.name) at \(platform.server)",
                    platform.detail.isEmpty ? "it is \(platform.state.rawValue)" : platform.detail,
                    advice: "`edgectl platform log \(platform.name)` shows what was said last"))
        }
        return found
    }

    private static func advice(_ code: PushReport.CauseCode) -> String {
        switch code {
        case .refused:
            "The service does not want this stream: is its key right, and does nobody else push under the same name?"
        case .noData: "The channel gives no pictures or sound: see the findings on camera and sound"
        default: "See whether the service runs and its address is right; the next attempt comes by itself"
        }
    }

    private static func isLinkLocal(_ address: String) -> Bool {
        address.hasPrefix("169.254.") || address.lowercased().hasPrefix("fe80:")
    }
}
