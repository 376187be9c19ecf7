import ControlProtocol

/// What `edgectl top` shows: the agent at one moment, with rates since the moment before.
package enum TopView {
    package struct Look: Sendable {
        package var status: StatusReport
        /// Seconds of the monotonic clock.
        package var time: Double

        package init(_ status: StatusReport, at time: Double) {
            self.status = status
            self.time = time
        }
    }

    package static func text(_ look: Look, since last: Look?) -> String {
        let status = look.status
        var parts = [head(look, since: last), channels(status)]
        parts.append(
            viewers(look, since: last)
                ?? "No viewers (at most \(status.viewerLimit))")
        if !status.pushes.isEmpty { parts.append(ReportText.pushes(status.pushes)) }
        for platform in status.platforms ?? [] {
            parts.append(
                "Platform \(platform.name): \(platform.state.rawValue), \(Units.count(platform.streams.count, "stream"))"
            )
        }
        if let recording = status.recording { parts.append(ReportText.recording(recording)) }
        return parts.joined(separator: "\n\n")
    }

    private static func head(_ look: Look, since last: Look?) -> String {
        let status = look.status
        var parts = [
            "edge-agent \(status.version) on \(status.device.name)", "up \(Units.duration(status.uptimeSeconds))",
        ]
        if let process = status.process {
            if let now = process.cpuSeconds, let last, let before = last.status.process?.cpuSeconds,
                look.time > last.time
            {
                parts.append("CPU \(Units.decimal((now - before) / (look.time - last.time) * 100)) %")
            }
            if let bytes = process.residentBytes { parts.append(Units.bytes(bytes)) }
            if let threads = process.threads { parts.append(Units.count(threads, "thread")) }
            if let files = process.openFiles { parts.append(Units.count(files, "file")) }
        }
        if let warmest = status.temperatures?.map(\.celsius).max() { parts.append("\(Units.decimal(warmest)) °C") }
        if status.isStandby == true { parts.append("privacy mode") }
        return parts.joined(separator: "  ")
    }

    private static func channels(_ status: StatusReport) -> String {
        var table = TextTable([
            ("CHANNEL", .left), ("CAMERA", .left), ("SOUND", .left), ("STREAM", .left), ("SIZE", .left),
            ("RATE", .right),
            ("BITRATE", .right), ("ENCODE", .right), ("OVERRUNS", .right), ("FOR", .right),
        ])
        for channel in status.channels {
            for (index, stream) in channel.streams.enumerated() {
                let isFirst = index == 0
                table.add([
                    isFirst ? "\(channel.channel) \(channel.name)" : "", isFirst ? camera(channel.camera) : "",
                    isFirst ? sound(channel.microphone) : "", stream.stream.rawValue,
                    "\(stream.width)x\(stream.height)",
                    stream.encoding ? "\(Units.decimal(stream.frameRate))/s" : "idle",
                    stream.encoding ? Units.bitrate(stream.bitrate) : "", encoding(stream), "\(stream.overruns)",
                    "\(stream.subscribers)",
                ])
            }
        }
        return table.text
    }

    private static func camera(_ device: DeviceReport) -> String {
        device.state == .none ? "-" : device.state.rawValue + (device.dropped > 0 ? ", \(device.dropped) dropped" : "")
    }

    private static func sound(_ device: DeviceReport) -> String {
        guard device.state != .none else { return "-" }
        guard device.state == .running, let sound = device.sound else { return device.state.rawValue }
        return sound.peakDecibels <= -110 ? "silent" : "\(Units.decimal(sound.peakDecibels)) dB"
    }

    /// Of all pictures so far.
    private static func encoding(_ stream: StreamReport) -> String {
        guard let times = stream.encodeTimes, times.pictures > 0 else { return "" }
        return "\(Units.decimal(times.seconds / Double(times.pictures) * 1000)) ms"
    }

    private static func viewers(_ look: Look, since last: Look?) -> String? {
        guard !look.status.viewers.isEmpty else { return nil }
        var table = TextTable([
            ("VIEWER", .right), ("WHAT", .left), ("STREAM", .left), ("FROM", .left), ("BY", .left), ("FOR", .right),
            ("RATE", .right), ("DROPPED", .right), ("WAITING", .right),
        ])
        for viewer in look.status.viewers.sorted(by: { $0.id < $1.id }) {
            var rate = ""
            if let last, let before = last.status.viewers.first(where: { $0.id == viewer.id }), look.time > last.time {
                rate = Units.bitrate(Int(Double(viewer.bytesSent - before.bytesSent) * 8 / (look.time - last.time)))
            }
            table.add([
                "\(viewer.id)", viewer.activity.rawValue, "\(viewer.channel)/\(viewer.stream.rawValue)", viewer.remote,
                viewer.transport.rawValue, Units.duration(viewer.connectedSeconds), rate, "\(viewer.framesDropped)",
                Units.bytes(viewer.queuedBytes),
            ])
        }
        return table.text
    }
}
