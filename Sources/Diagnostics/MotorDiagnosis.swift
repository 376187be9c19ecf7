import ControlProtocol

/// Judges a channel's head.
package enum MotorDiagnosis {
    package static func findings(_ channel: ChannelReport) -> [FindingReport] {
        guard let head = channel.ptz else { return [] }
        let subject = "channel \(channel.channel)"
        if let fault = head.fault {
            return [
                FindingReport(
                    .motor, "fault", .failure, subject: subject, fault,
                    advice: """
                        See to the motor's cable and power, and that ptz in the configuration names its port; \
                        `edge-agent devices` lists serial ports and GPIO chips, and the service must be allowed the port \
                        (DeviceAllow= in edge-agent.service.d)
                        """)
            ]
        }
        if head.limits != nil, head.pan == nil {
            return [
                FindingReport(
                    .motor, "positionUnknown", .warning, subject: subject,
                    "does not know where it looks, so its limits and presets do not hold",
                    advice: "`edgectl ptz \(channel.channel) home` finds its end and counts from there")
            ]
        }
        return [
            .ok(
                .motor, subject: subject,
                head.moving ? "\(head.driver), turning" : "\(head.driver), at rest, \(head.moves) motions so far")
        ]
    }
}
