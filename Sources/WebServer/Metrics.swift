import ControlProtocol

/// The agent's numbers in Prometheus' text format, version 0.0.4.
package enum Metrics {
    static func answer(_ status: StatusReport, viewers: [ViewerReport], totals: ViewerTotals) -> HTTPAnswer {
        .text(
            text(status, viewers: viewers, totals: totals), type: "text/plain; version=0.0.4; charset=utf-8")
    }

    package static func text(
        _ status: StatusReport, viewers: [ViewerReport], totals: ViewerTotals
    ) -> String {
        var out = MetricsWriter()
        out.family("edge_agent_info", "gauge", "Always 1; the version is in the label.")
        out.sample("edge_agent_info", 1, [("version", status.version)])
        out.single("edge_agent_uptime_seconds", "gauge", "Since the agent started.", status.uptimeSeconds)
        devices(status, &out)
        streams(status, &out)
        self.viewers(viewers, totals, &out)
        pushes(status, &out)
        MotionMetrics.write(status.channels, &out)
        if let platforms = status.platforms { self.platforms(platforms, &out) }
        if let recording = status.recording { RecordingMetrics.write(recording, &out) }
        if let talkback = status.talkback { TalkbackMetrics.write(talkback, &out) }
        if let temperatures = status.temperatures {
            out.family("edge_agent_temperature_celsius", "gauge", "As the kernel's thermal zones tell.")
            for item in temperatures {
                out.sample("edge_agent_temperature_celsius", item.celsius, [("zone", item.zone)])
            }
        }
        if let process = status.process { self.process(process, &out) }
        return out.text
    }

    private static func process(_ process: ProcessReport, _ out: inout MetricsWriter) {
        if let value = process.residentBytes {
            out.single("process_resident_memory_bytes", "gauge", "Resident memory.", Double(value))
        }
        if let value = process.openFiles {
            out.single("process_open_fds", "gauge", "Open file descriptors.", Double(value))
        }
        if let value = process.maximumFiles {
            out.single("process_max_fds", "gauge", "File descriptors allowed.", Double(value))
        }
        if let value = process.turnedAway {
            out.single(
                "edge_agent_newcomers_turned_away_total", "counter", "For lack of memory or files.", Double(value))
        }
        if let value = process.cpuSeconds {
            out.single("process_cpu_seconds_total", "counter", "Processor time of all threads.", value)
        }
        if let value = process.threads {
            out.single("process_threads", "gauge", "Threads.", Double(value))
        }
    }

    private static func platforms(_ platforms: [PlatformReport], _ out: inout MetricsWriter) {
        let values: [(name: String, type: String, help: String, value: (PlatformReport) -> Double)] = [
            ("edge_agent_platform_online", "gauge", "1 while logged in.", { $0.state == .online ? 1 : 0 }),
            ("edge_agent_platform_logins_total", "counter", "Times it logged in.", { Double($0.logins) }),
            (
                "edge_agent_platform_frames_broken_total", "counter", "Frames that were none.",
                { Double($0.framesBroken) }
            ),
            ("edge_agent_platform_streams", "gauge", "Streams that it has open.", { Double($0.streams.count) }),
        ]
        for item in values {
            out.family(item.name, item.type, item.help)
            for platform in platforms { out.sample(item.name, item.value(platform), [("platform", platform.name)]) }
        }
    }

    private static func devices(_ status: StatusReport, _ out: inout MetricsWriter) {
        let devices = status.channels.flatMap {
            [($0.channel, "camera", $0.camera), ($0.channel, "microphone", $0.microphone)]
        }
        .filter { $0.2.state != .none }
        let values: [(name: String, type: String, help: String, value: (DeviceReport) -> Double)] = [
            ("edge_agent_device_running", "gauge", "1 while the device gives data.", { $0.state == .running ? 1 : 0 }),
            (
                "edge_agent_device_captured_total", "counter", "Pictures, or samples per channel.",
                { Double($0.captured) }
            ),
            ("edge_agent_device_dropped_total", "counter", "Pictures lost before encoding.", { Double($0.dropped) }),
            ("edge_agent_device_reconnects_total", "counter", "Times it came back.", { Double($0.reconnects) }),
            (
                "edge_agent_device_overruns_total", "counter", "Overruns of the sound buffer.",
                { Double($0.overruns ?? 0) }
            ),
        ]
        for item in values {
            out.family(item.name, item.type, item.help)
            for (channel, kind, report) in devices {
                out.sample(item.name, item.value(report), [("channel", "\(channel)"), ("device", kind)])
            }
        }
        out.family(
            "edge_agent_sound_peak_decibels", "gauge", "Loudest sample of the last ten seconds; 0 is full scale.")
        for channel in status.channels {
            guard let sound = channel.microphone.sound else { continue }
            out.sample("edge_agent_sound_peak_decibels", sound.peakDecibels, [("channel", "\(channel.channel)")])
        }
    }

    private static func streams(_ status: StatusReport, _ out: inout MetricsWriter) {
        let values: [(name: String, type: String, help: String, value: (StreamReport) -> Double)] = [
            ("edge_agent_stream_encoding", "gauge", "1 while the stream is encoded.", { $0.encoding ? 1 : 0 }),
            ("edge_agent_stream_video_frames_total", "counter", "Pictures encoded.", { Double($0.videoFrames) }),
            ("edge_agent_stream_audio_frames_total", "counter", "Sound frames.", { Double($0.audioFrames) }),
            ("edge_agent_stream_key_frames_total", "counter", "Key frames encoded.", { Double($0.keyFrames) }),
            (
                "edge_agent_stream_overruns_total", "counter", "Pictures the encoder was too slow for.",
                { Double($0.overruns) }
            ),
            ("edge_agent_stream_frame_rate", "gauge", "Pictures a second.", { $0.frameRate }),
            ("edge_agent_stream_bits_per_second", "gauge", "Bits a second.", { Double($0.bitrate) }),
            ("edge_agent_stream_subscribers", "gauge", "Viewers and pushes.", { Double($0.subscribers) }),
        ]
        for item in values {
            out.family(item.name, item.type, item.help)
            for channel in status.channels {
                for stream in channel.streams {
                    out.sample(
                        item.name, item.value(stream),
                        [("channel", "\(channel.channel)"), ("stream", stream.stream.rawValue)])
                }
            }
        }
        encodeTimes(status, &out)
    }

    private static func encodeTimes(_ status: StatusReport, _ out: inout MetricsWriter) {
        let name = "edge_agent_encode_seconds"
        out.family(name, "histogram", "How long encoding a picture took, scaling included.")
        for channel in status.channels {
            for stream in channel.streams {
                guard let times = stream.encodeTimes else { continue }
                let labels = [("channel", "\(channel.channel)"), ("stream", stream.stream.rawValue)]
                for bucket in times.buckets {
                    let bound = [("le", "\(Double(bucket.microseconds) / 1e6)")]
                    out.sample("\(name)_bucket", Double(bucket.pictures), labels + bound)
                }
                out.sample("\(name)_bucket", Double(times.pictures), labels + [("le", "+Inf")])
                out.sample("\(name)_sum", times.seconds, labels)
                out.sample("\(name)_count", Double(times.pictures), labels)
            }
        }
    }

    private static func viewers(_ viewers: [ViewerReport], _ totals: ViewerTotals, _ out: inout MetricsWriter) {
        out.family("edge_agent_viewers", "gauge", "Viewers connected now.")
        for transport in ViewerReport.Transport.allCases {
            let count = viewers.count { $0.transport == transport }
            out.sample("edge_agent_viewers", Double(count), [("transport", transport.rawValue)])
        }
        out.single(
            "edge_agent_viewer_queue_bytes", "gauge", "Bytes that wait for slow viewers.",
            Double(viewers.reduce(0) { $0 + $1.queuedBytes }))
        out.single("edge_agent_viewer_limit", "gauge", "Viewers allowed at once.", Double(totals.limit))
        out.single(
            "edge_agent_viewers_refused_total", "counter", "Viewers that found the device full.",
            Double(totals.refused))
        let present = viewers.reduce(into: (frames: 0, dropped: 0, bytes: 0)) { sum, viewer in
            sum.frames += viewer.framesSent
            sum.dropped += viewer.framesDropped
            sum.bytes += viewer.bytesSent
        }
        out.single(
            "edge_agent_viewer_frames_sent_total", "counter", "Frames sent to viewers.",
            Double(totals.framesSent + present.frames))
        out.single(
            "edge_agent_viewer_frames_dropped_total", "counter", "Frames that slow viewers missed.",
            Double(totals.framesDropped + present.dropped))
        out.single(
            "edge_agent_viewer_bytes_sent_total", "counter", "Bytes sent to viewers.",
            Double(totals.bytesSent + present.bytes))
    }

    private static func pushes(_ status: StatusReport, _ out: inout MetricsWriter) {
        let pushes = status.pushes
        out.family("edge_agent_pushes", "gauge", "Pushes by state.")
        for state in PushReport.State.allCases where state != .closed {
            out.sample("edge_agent_pushes", Double(pushes.count { $0.state == state }), [("state", state.rawValue)])
        }
        out.family("edge_agent_pushes_waiting", "gauge", "Pushes that wait for their next attempt, by cause.")
        for cause in PushReport.CauseCode.allCases {
            let count = pushes.count { $0.state == .waiting && $0.cause?.code == cause }
            out.sample("edge_agent_pushes_waiting", Double(count), [("cause", cause.rawValue)])
        }
        if let breaks = status.pushBreaks {
            out.family("edge_agent_push_breaks_total", "counter", "Times pushes were interrupted or ended, by cause.")
            for cause in PushReport.CauseCode.allCases {
                out.sample(
                    "edge_agent_push_breaks_total", Double(breaks[cause.rawValue] ?? 0), [("cause", cause.rawValue)])
            }
        }
        let values: [(name: String, help: String, value: (PushReport) -> Int)] = [
            ("edge_agent_push_attempts_total", "Connections tried.", { $0.attempts }),
            ("edge_agent_push_bytes_sent_total", "Bytes sent.", { $0.bytesSent }),
            ("edge_agent_push_frames_sent_total", "Frames sent.", { $0.framesSent }),
            ("edge_agent_push_frames_dropped_total", "Frames a slow link missed.", { $0.framesDropped }),
        ]
        for item in values {
            out.family(item.name, "counter", item.help)
            for push in pushes {
                out.sample(
                    item.name, Double(item.value(push)),
                    [("push", push.id), ("channel", "\(push.channel)"), ("stream", push.codeStream.rawValue)])
            }
        }
    }
}
