import ControlProtocol
import PlatformProtocol

extension ReportText {
    package static func platforms(_ platforms: [PlatformReport]) -> String {
        platforms.isEmpty ? "No platforms" : platforms.map(platform).joined(separator: "\n\n")
    }

    private static func platform(_ platform: PlatformReport) -> String {
        var lines = [
            "\(platform.name): \(platform.state.rawValue) for \(Units.duration(platform.sinceSeconds)), \(platform.server), "
                + "phone \(platform.phone), JT/T 808-\(platform.version)",
            "  \(Units.count(platform.framesReceived, "frame")) received, \(platform.framesSent) sent"
                + (platform.framesBroken > 0 ? ", \(platform.framesBroken) broken" : "")
                + ", \(Units.count(platform.logins, "log-in"))",
        ]
        if platform.state != .online, !platform.detail.isEmpty { lines.append("  \(platform.detail)") }
        guard !platform.streams.isEmpty else { return lines.joined(separator: "\n") }
        var table = TextTable(
            [("LOGICAL", .right), ("STREAM", .left), ("KIND", .left), ("STATE", .left), ("PUSH", .left)], indent: "  ")
        for stream in platform.streams {
            table.add([
                "\(stream.logicalChannel)", "\(stream.channel)/\(stream.codeStream.rawValue)", stream.kind,
                stream.paused ? "paused" : stream.publishing ? "publishing" : "connecting", stream.push ?? "",
            ])
        }
        return (lines + [table.text]).joined(separator: "\n")
    }

    package static func frames(_ frames: [PlatformFrameReport], withBytes: Bool) -> String {
        guard !frames.isEmpty else { return "No frames yet" }
        return frames.map { frame in
            var text = "\(frame.time) \(frame.sent ? "→" : "←") \(frame.text)"
            if withBytes { text += "\n    " + (frame.hex ?? "(not shown: it holds a secret)") }
            return text
        }.joined(separator: "\n")
    }

    /// A field on each line.
    package static func decoded(_ value: DecodedValue, indent: String = "") -> String {
        guard case .fields(let fields) = value else { return indent + value.line }
        return fields.map { field in
            switch field.value {
            case .fields(let inner) where !inner.isEmpty:
                "\(indent)\(field.name)\n" + decoded(field.value, indent: indent + "  ")
            case .list(let items) where items.contains(where: { if case .fields = $0 { true } else { false } }):
                "\(indent)\(field.name)\n" + items.map { "\(indent)  - \($0.line)" }.joined(separator: "\n")
            default: "\(indent)\(field.name): \(field.value.line)"
            }
        }.joined(separator: "\n")
    }
}
