import ControlProtocol

extension ReportText {
    /// One line: `simulated, at rest, pan 12.0° tilt -3.0°, presets 1 2`.
    package static func head(_ head: HeadReport) -> String {
        var parts = [head.driver]
        if let fault = head.fault {
            parts.append("away: \(fault)")
        } else {
            parts.append(head.patrolling ? "on patrol" : head.moving ? "moving" : "at rest")
            parts.append(position(head))
        }
        if head.atEnd { parts.append("at an end") }
        if !head.presets.isEmpty { parts.append("presets " + head.presets.map(String.init).joined(separator: " ")) }
        if let jitter = head.jitter { parts.append("steps late by \(jitter.p50)/\(jitter.p99)/\(jitter.maximum) µs") }
        return parts.joined(separator: ", ")
    }

    private static func position(_ head: HeadReport) -> String {
        let angles = [("pan", head.pan, "°"), ("tilt", head.tilt, "°"), ("zoom", head.zoom, "x")]
            .compactMap { name, value, unit in value.map { "\(name) \(Units.decimal($0))\(unit)" } }
        return angles.isEmpty ? "position unknown" : angles.joined(separator: " ")
    }
}
