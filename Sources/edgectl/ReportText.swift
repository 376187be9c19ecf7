import ControlProtocol

/// The agent's reports as text for people.
package enum ReportText {
    package static func status(_ status: StatusReport) -> String {
        var parts = [
            "edge-agent \(status.version) on \(device(status.device)), process \(status.pid), up \(Units.duration(status.uptimeSeconds))",
            channels(status.channels),
        ]
        if let entrance = status.entrance { parts.append(self.entrance(entrance).joined(separator: "\n")) }
        if status.isStandby == true { parts.insert("Privacy mode: no picture and no sound is taken", at: 1) }
        parts.append(
            status.viewers.isEmpty
                ? "No viewers (at most \(status.viewerLimit))"
                : "\(Units.count(status.viewers.count, "viewer")) (at most \(status.viewerLimit))\n"
                    + viewers(status.viewers, indent: "  "))
        parts.append(
            status.pushes.isEmpty
                ? "No pushes"
                : "\(Units.count(status.pushes.count, "push", "pushes"))\n" + pushes(status.pushes, indent: "  "))
        if let rendezvous = status.rendezvous { parts.append("Rendezvous: \(rendezvous)") }
        if let platforms = status.platforms { parts.append(self.platforms(platforms)) }
        if let recording = status.recording { parts.append(self.recording(recording)) }
        if let talkback = status.talkback { parts.append(self.talkback(talkback)) }
        return parts.joined(separator: "\n\n")
    }

    private static func device(_ device: DeviceIdentity) -> String {
        device.id.map { "\(device.name) (\($0))" } ?? device.name
    }

    package static func channels(_ channels: [ChannelReport]) -> String {
        channels.isEmpty ? "No channels" : channels.map(channel).joined(separator: "\n\n")
    }

    private static func channel(_ channel: ChannelReport) -> String {
        var devices = TextTable([("", .left), ("", .left), ("", .left), ("", .left)], indent: "  ")
        for (kind, device) in [("camera", channel.camera), ("microphone", channel.microphone)]
        where device.state != .none {
            devices.add([
                kind, "\(device.state.rawValue) for \(Units.duration(device.sinceSeconds))",
                [device.device, device.detail].filter { !$0.isEmpty }.joined(separator: ", "), numbers(of: device),
            ])
        }
        var streams = TextTable(
            [("", .left), ("", .left), ("", .left), ("", .right), ("", .left), ("", .left)], indent: "  ")
        for stream in channel.streams {
            var rate = ""
            if stream.encoding {
                rate = Units.bitrate(stream.bitrate)
                // A stream of constant quality aims at none.
                if stream.targetBitrate > 0 { rate += " of \(Units.bitrate(stream.targetBitrate))" }
            }
            streams.add([
                stream.stream.rawValue, stream.encoding ? "encoding" : "idle",
                stream.width > 0 ? "\(stream.width)x\(stream.height)" : "",
                stream.encoding ? "\(Units.decimal(stream.frameRate))/s" : "", rate,
                Units.count(stream.subscribers, "consumer")
                    + (stream.overruns > 0 ? ", \(Units.count(stream.overruns, "overrun"))" : ""),
            ])
        }
        let head = channel.ptz.map { "  head  \(self.head($0))" } ?? ""
        return (["Channel \(channel.channel) \"\(channel.name)\"", devices.text, streams.text, head])
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func numbers(of device: DeviceReport) -> String {
        var parts: [String] = []
        if device.dropped > 0 { parts.append("\(device.dropped) dropped") }
        if let overruns = device.overruns, overruns > 0 { parts.append(Units.count(overruns, "overrun")) }
        if let silence = device.silenceMilliseconds, silence > 0 { parts.append("\(silence) ms of silence put in") }
        if let drift = device.driftPartsPerMillion, drift.magnitude >= 0.05 {
            parts.append("clock off by \(Units.decimal(drift)) ppm")
        }
        if device.reconnects > 0 { parts.append("came back \(Units.count(device.reconnects, "time"))") }
        return parts.joined(separator: ", ")
    }

    package static func viewers(_ viewers: [ViewerReport], indent: String = "") -> String {
        guard !viewers.isEmpty else { return "No viewers" }
        var table = TextTable(
            [
                ("ID", .right), ("WHAT", .left), ("STREAM", .left), ("FROM", .left), ("BY", .left), ("FOR", .right),
                ("SENT", .right),
                ("FRAMES", .right), ("DROPPED", .right), ("WAITING", .right),
            ], indent: indent)
        for viewer in viewers {
            table.add([
                "\(viewer.id)", viewer.activity.rawValue, "\(viewer.channel)/\(viewer.stream.rawValue)",
                viewer.remote + (viewer.visitor.map { " (visitor \($0))" } ?? ""), viewer.transport.rawValue,
                Units.duration(viewer.connectedSeconds), Units.bytes(viewer.bytesSent),
                "\(viewer.framesSent)", "\(viewer.framesDropped)", Units.bytes(viewer.queuedBytes),
            ])
        }
        return table.text
    }

    package static func pushes(_ pushes: [PushReport], indent: String = "") -> String {
        guard !pushes.isEmpty else { return "No pushes" }
        var table = TextTable(
            [
                ("ID", .left), ("STREAM", .left), ("DATA", .left), ("STATE", .left), ("FOR", .right), ("SENT", .right),
                ("DROPPED", .right), ("TARGET", .left),
            ], indent: indent)
        for push in pushes {
            table.add([
                push.id, "\(push.channel)/\(push.codeStream.rawValue)", push.dataType.rawValue, push.state.rawValue,
                Units.duration(push.sinceSeconds), Units.bytes(push.bytesSent), "\(push.framesDropped)", push.target,
            ])
        }
        let causes = pushes.compactMap { push in
            reason(push).map { "\(indent)Push \(push.id): \($0)" }
        }
        return ([table.text] + causes).joined(separator: "\n")
    }

    /// Why a push waits or has ended, and what comes next; nil where there is nothing to say.
    private static func reason(_ push: PushReport) -> String? {
        guard push.state != .publishing, let cause = push.cause else { return nil }
        var text = "\(cause.detail.isEmpty ? cause.code.rawValue : cause.detail) (\(cause.code.rawValue))"
        if push.state == .waiting {
            text += ", \(Units.count(push.attempts, "attempt")) so far"
            if let seconds = push.retryInSeconds { text += ", the next in \(Units.decimal(max(0, seconds))) s" }
        }
        return text
    }

    /// One push in a sentence.
    package static func push(_ push: PushReport) -> String {
        let what = "Push \(push.id), channel \(push.channel) \(push.codeStream.rawValue) to \(push.target)"
        let state =
            switch push.state {
            case .connecting: "is connecting"
            case .publishing: "is publishing"
            case .waiting: "waits for its next attempt"
            case .closed: "is closed"
            }
        return "\(what), \(state)" + (reason(push).map { ": \($0)" } ?? "")
    }

    package static func event(_ event: EventReport) -> String {
        var text = "\(event.time)  \(event.event)"
        if let channel = event.channel { text += "  channel \(channel)" }
        if let device = event.device, !device.isEmpty { text += "  \(device)" }
        if let detail = event.detail, !detail.isEmpty { text += "  \(detail)" }
        if let push = event.push {
            text += "  push \(push.id) to \(push.target)"
            if let cause = push.cause, push.state != .publishing { text += "  \(cause.code.rawValue): \(cause.detail)" }
        }
        return text
    }
}
