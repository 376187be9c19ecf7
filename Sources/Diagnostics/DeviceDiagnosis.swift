import ControlProtocol

/// What is judged alike for cameras and microphones.
enum DeviceDiagnosis {
    /// A device that gives nothing.
    static func away(
        _ area: FindingReport.Area, subject: String, _ device: DeviceReport, group: String
    ) -> FindingReport {
        let name = device.device.isEmpty ? "the device" : device.device
        let text = device.detail.isEmpty ? "\(name) is \(device.state.rawValue)" : device.detail
        switch device.cause {
        case .notPermitted:
            return FindingReport(
                area, "notPermitted", .failure, subject: subject, text,
                advice: """
                    The agent's user must be in the group \(group), and the service must be allowed the device \
                    (DeviceAllow= in edge-agent.service); ls -l \(name) shows whose it is
                    """)
        case .busy:
            return FindingReport(
                area, "busy", .failure, subject: subject, text,
                advice: "fuser -v \(name) names the program that holds it; end that one")
        case .notThere:
            return FindingReport(
                area, "missing", .failure, subject: subject, text,
                advice: """
                    Is it plugged in and powered? `edge-agent devices` lists what is there, dmesg says what the kernel \
                    thinks of it
                    """)
        case nil: break
        }
        switch device.state {
        case .opening:
            return FindingReport(
                area, "opening", .warning, subject: subject, text, advice: "Ask again in a few seconds")
        case .lost:
            return FindingReport(
                area, "lost", .failure, subject: subject, text,
                advice: "It was there and went away: see to its cable and its power; dmesg says when")
        default:
            return FindingReport(
                area, "refuses", .failure, subject: subject, text,
                advice: "`edge-agent devices` lists what this machine's devices can; compare with the configuration")
        }
    }

    /// A device that goes away again and again.
    static func returns(
        _ area: FindingReport.Area, subject: String, _ device: DeviceReport, uptimeSeconds: Double
    ) -> FindingReport? {
        guard device.reconnects >= 3,
            Double(device.reconnects) / max(uptimeSeconds / 3600, 1) >= CameraDiagnosis.mostReturnsPerHour
        else { return nil }
        return FindingReport(
            area, "unstable", .warning, subject: subject,
            "\(device.device) went away and came back \(device.reconnects) times",
            advice: "A loose or long cable, or too little power: try another port, cable or supply; dmesg says more")
    }

    /// One digit after the point.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "?" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}
