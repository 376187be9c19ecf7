import ControlProtocol

/// The heads' share of the metrics.
enum MotionMetrics {
    static func write(_ channels: [ChannelReport], _ out: inout MetricsWriter) {
        let heads = channels.compactMap { channel in channel.ptz.map { (channel: "\(channel.channel)", head: $0) } }
        guard !heads.isEmpty else { return }
        let values: [(name: String, type: String, help: String, value: (HeadReport) -> Double)] = [
            ("edge_agent_ptz_moving", "gauge", "1 while the head moves.", { $0.moving ? 1 : 0 }),
            ("edge_agent_ptz_away", "gauge", "1 while the motor cannot be reached.", { $0.fault == nil ? 0 : 1 }),
            ("edge_agent_ptz_moves_total", "counter", "Motions begun.", { Double($0.moves) }),
            ("edge_agent_ptz_faults_total", "counter", "Times the motor was lost.", { Double($0.faults) }),
        ]
        for item in values {
            out.family(item.name, item.type, item.help)
            for (channel, head) in heads { out.sample(item.name, item.value(head), [("channel", channel)]) }
        }
        out.family("edge_agent_ptz_stops_total", "counter", "Motions ended, by cause.")
        for (channel, head) in heads {
            for (cause, count) in head.stops.sorted(by: { $0.key < $1.key }) {
                out.sample("edge_agent_ptz_stops_total", Double(count), [("channel", channel), ("cause", cause)])
            }
        }
        out.family("edge_agent_ptz_step_lateness_seconds", "gauge", "How late steps are taken.")
        for (channel, head) in heads {
            guard let jitter = head.jitter else { continue }
            for (part, microseconds) in [("0.5", jitter.p50), ("0.99", jitter.p99), ("1", jitter.maximum)] {
                out.sample(
                    "edge_agent_ptz_step_lateness_seconds", Double(microseconds) / 1e6,
                    [("channel", channel), ("quantile", part)])
            }
        }
    }
}
