import ControlProtocol

/// Talkback's share of the metrics.
enum TalkbackMetrics {
    static func write(_ talkback: TalkbackReport, _ out: inout MetricsWriter) {
        out.single("edge_agent_talk_active", "gauge", "1 while somebody talks.", talkback.talk == nil ? 0 : 1)
        out.single("edge_agent_talks_total", "counter", "Talks that began.", Double(talkback.talks))
        out.single("edge_agent_talks_refused_total", "counter", "Talks that were refused.", Double(talkback.refused))
        if let talk = talkback.talk { write(talk, &out) }
        let losses = talkback.echoes.compactMap { echo in echo.lossDecibels.map { (echo.channel, $0) } }
        guard !losses.isEmpty else { return }
        out.family("edge_agent_echo_loss_decibels", "gauge", "By how much the speaker's echo is lowered.")
        for (channel, loss) in losses {
            out.sample("edge_agent_echo_loss_decibels", loss, [("channel", "\(channel)")])
        }
    }

    private static func write(_ talk: TalkbackReport.Talk, _ out: inout MetricsWriter) {
        let values: [(name: String, help: String, value: Double)] = [
            (
                "edge_agent_talk_delay_seconds", "From a sample's coming to its being heard.",
                Double(talk.delayMilliseconds) / 1000
            ),
            (
                "edge_agent_talk_silence_seconds", "Silence played because nothing was there.",
                Double(talk.silenceMilliseconds) / 1000
            ),
            (
                "edge_agent_talk_dropped_seconds", "Sound that came too late or was too much.",
                Double(talk.droppedMilliseconds) / 1000
            ),
            ("edge_agent_talk_underruns", "How often nothing was there.", Double(talk.underruns)),
            ("edge_agent_talk_lost_frames", "Frames lost on the way, or broken.", Double(talk.lostFrames)),
            ("edge_agent_talk_speaker_underruns", "How often the speaker ran dry.", Double(talk.speakerUnderruns)),
        ]
        for item in values { out.single(item.name, "gauge", item.help, item.value) }
    }
}
