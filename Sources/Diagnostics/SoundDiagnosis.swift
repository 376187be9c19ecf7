import ControlProtocol

/// Judges a channel's microphone by what it reports.
package enum SoundDiagnosis {
    package struct Facts: Sendable {
        package var channel: ChannelReport
        /// Privacy mode lets microphones go.
        package var isStandby = false
        /// While the doctor looked.
        package var newOverruns = 0
        package var uptimeSeconds: Double

        package init(channel: ChannelReport, isStandby: Bool = false, newOverruns: Int = 0, uptimeSeconds: Double) {
            self.channel = channel
            self.isStandby = isStandby
            self.newOverruns = newOverruns
            self.uptimeSeconds = uptimeSeconds
        }
    }

    /// Decibels: nothing louder is no sound at all, and fainter than a quiet room through any microphone.
    static let silence = -110.0
    static let faint = -75.0
    /// Parts of all samples.
    static let mostClipped = 0.001
    /// A clock that is off by more makes gaps.
    static let mostDrift = 1000.0

    package static func findings(_ facts: Facts) -> [FindingReport] {
        let microphone = facts.channel.microphone
        let subject = "channel \(facts.channel.channel)"
        guard microphone.state != .none else { return [] }
        guard !facts.isStandby else { return [.ok(.sound, subject: subject, "let go: the device is in privacy mode")] }
        guard microphone.state == .running else {
            return [DeviceDiagnosis.away(.sound, subject: subject, microphone, group: "audio")]
        }
        var found = level(microphone, subject)
        if facts.newOverruns > 0 {
            found.append(
                FindingReport(
                    .sound, "overruns", .warning, subject: subject,
                    "sound was lost \(facts.newOverruns) times in the last seconds: the agent came too late for it",
                    advice: "The processor is too busy; see the encoder's findings"))
        }
        if let drift = microphone.driftPartsPerMillion, drift.magnitude > mostDrift {
            found.append(
                FindingReport(
                    .sound, "drift", .warning, subject: subject,
                    "its clock is off by \(DeviceDiagnosis.decimal(drift)) parts in a million",
                    advice: "Is the configured rate one that the device really has? Try audio.rate: 48000"))
        }
        if let returns = DeviceDiagnosis.returns(
            .sound, subject: subject, microphone, uptimeSeconds: facts.uptimeSeconds)
        {
            found.append(returns)
        }
        guard found.isEmpty else { return found }
        let loudness = microphone.sound.map { ", peaks at \(DeviceDiagnosis.decimal($0.peakDecibels)) dB" } ?? ""
        return [.ok(.sound, subject: subject, "\(microphone.device), \(microphone.detail)\(loudness)")]
    }

    private static func level(_ microphone: DeviceReport, _ subject: String) -> [FindingReport] {
        guard let sound = microphone.sound else { return [] }
        if sound.peakDecibels <= silence {
            return [
                FindingReport(
                    .sound, "silent", .failure, subject: subject,
                    "\(microphone.device) gives nothing but zeros",
                    advice: """
                        It is muted or not connected: alsamixer (F4) shows its capture switch and gain; another device \
                        may be the one (`edge-agent devices`)
                        """)
            ]
        }
        if sound.peakDecibels <= faint {
            return [
                FindingReport(
                    .sound, "faint", .warning, subject: subject,
                    "\(microphone.device) peaks at \(DeviceDiagnosis.decimal(sound.peakDecibels)) dB, fainter than a quiet room",
                    advice: "Raise its gain (alsamixer, F4), and see to its plug")
            ]
        }
        if sound.clipped > mostClipped {
            return [
                FindingReport(
                    .sound, "clipping", .warning, subject: subject,
                    "\(microphone.device) is too loud: \(DeviceDiagnosis.decimal(sound.clipped * 100)) % of its samples are cut off",
                    advice: "Lower its gain (alsamixer, F4), or switch its boost off")
            ]
        }
        return []
    }
}
