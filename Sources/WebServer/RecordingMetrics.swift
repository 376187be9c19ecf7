import ControlProtocol

/// Recording's share of the metrics.
enum RecordingMetrics {
    static func write(_ recording: RecordingReport, _ out: inout MetricsWriter) {
        disk(recording.disk, &out)
        streams(recording.streams, &out)
    }

    private static func disk(_ disk: RecordingReport.Disk, _ out: inout MetricsWriter) {
        out.family("edge_agent_recording_disk_state", "gauge", "1 for the state the disk is in.")
        for state in RecordingReport.Disk.State.allCases {
            out.sample("edge_agent_recording_disk_state", disk.state == state ? 1 : 0, [("state", state.rawValue)])
        }
        if let bytes = disk.availableBytes {
            out.single(
                "edge_agent_recording_disk_available_bytes", "gauge", "What may still be written.", Double(bytes))
        }
        if let bytes = disk.totalBytes {
            out.single("edge_agent_recording_disk_total_bytes", "gauge", "How much the disk holds.", Double(bytes))
        }
        out.family("edge_agent_recording_held_bytes", "gauge", "Closed files.")
        for held in disk.held {
            out.sample("edge_agent_recording_held_bytes", Double(held.bytes), [("channel", "\(held.channel)")])
        }
        out.family("edge_agent_recording_held_files", "gauge", "Files.")
        for held in disk.held {
            out.sample("edge_agent_recording_held_files", Double(held.segments), [("channel", "\(held.channel)")])
        }
        let counters: [(name: String, help: String, value: Int)] = [
            ("deleted_files_total", "Files that made room.", disk.deletedSegments),
            ("read_backs_total", "Samples read back from the disk.", disk.readBacks),
            ("read_back_failures_total", "Samples that were not as written.", disk.readBackFailures),
            ("disk_returns_total", "Times the disk came back.", disk.returns),
        ]
        for counter in counters {
            out.single("edge_agent_recording_\(counter.name)", "counter", counter.help, Double(counter.value))
        }
    }

    private static func streams(_ streams: [RecordingReport.Stream], _ out: inout MetricsWriter) {
        let values: [(name: String, type: String, help: String, value: (RecordingReport.Stream) -> Double)] = [
            ("active", "gauge", "1 while frames are written.", { $0.state == .recording ? 1 : 0 }),
            ("frames_total", "counter", "Frames written.", { Double($0.framesWritten) }),
            ("media_bytes_total", "counter", "Bytes of the frames themselves.", { Double($0.mediaBytes) }),
            ("file_bytes_total", "counter", "Bytes of the files they are in.", { Double($0.fileBytes) }),
            ("frames_lost_total", "counter", "Frames the disk was too slow for.", { Double($0.framesLost) }),
            ("frames_refused_total", "counter", "Frames no file could take.", { Double($0.framesRefused) }),
            ("gaps_total", "counter", "Times without footage that was wanted.", { Double($0.gaps) }),
        ]
        for item in values {
            let name = "edge_agent_recording_\(item.name)"
            out.family(name, item.type, item.help)
            for stream in streams {
                out.sample(
                    name, item.value(stream),
                    [("channel", "\(stream.channel)"), ("stream", stream.stream.rawValue)])
            }
        }
    }
}
