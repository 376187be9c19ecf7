import ControlProtocol

extension ReportText {
    package static func peers(_ peers: [PeerReport]) -> String {
        guard !peers.isEmpty else { return "No peers" }
        var table = TextTable([
            ("ID", .right), ("STATE", .left), ("FROM", .left), ("WAY", .left), ("RTT", .right),
            ("CONNECTED IN", .right),
            ("FOR", .right), ("REQUESTS", .right), ("SENT", .right), ("RECEIVED", .right), ("WAITING", .right),
            ("CARRIES", .right),
        ])
        for peer in peers {
            table.add([
                "\(peer.id)", peer.state.rawValue, peer.remote, way(peer),
                peer.roundTripMilliseconds.map { "\($0) ms" } ?? "", peer.connectMilliseconds.map { "\($0) ms" } ?? "",
                Units.duration(peer.ageSeconds), "\(peer.channels)", Units.bytes(peer.bytesSent),
                Units.bytes(peer.bytesReceived), Units.bytes(peer.bufferedBytes),
                peer.bitsPerSecond.map { "\(Units.decimal(Double($0) / 1e6)) Mbit/s" } ?? "",
            ])
        }
        return table.text
    }

    /// Such as "direct (host-prflx)".
    private static func way(_ peer: PeerReport) -> String {
        guard let local = peer.localCandidate, let remote = peer.remoteCandidate else { return "" }
        return "\(peer.isRelayed ? "relayed" : "direct") (\(local)-\(remote))"
    }

    package static func peerInfo(_ info: PeerInfoReport) -> String {
        var lines = ["Device   \(info.device)"]
        if let topic = info.topic { lines.append("Topic    \(topic)") }
        for server in info.iceServers { lines.append("Server   \(server.urls.joined(separator: " "))") }
        if let ticket = info.xp2pInfo, let expires = info.expires {
            lines += [
                "Ticket   \(ticket)", "Until    \(EventReport.timestamp(seconds: Int(expires), milliseconds: 0))",
            ]
        } else if info.needsTicket {
            lines.append("Ticket   none is published; edgectl p2p ticket makes one for one viewer")
        } else {
            lines.append("Ticket   none is needed")
        }
        return lines.joined(separator: "\n")
    }
}
