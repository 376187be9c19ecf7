import ControlProtocol

/// Judges an encoder by how much of real time it needs.
package enum EncoderDiagnosis {
    package struct Facts: Sendable {
        package var channel: Int
        package var stream: StreamReport
        /// While the doctor looked, with the stream wanted.
        package var seconds: Double
        package var newPictures: Int
        package var newOverruns: Int
        /// Spent encoding.
        package var busySeconds: Double
        /// What the camera gave in that time.
        package var capturedPictures: Int

        package init(
            channel: Int, stream: StreamReport, seconds: Double, newPictures: Int, newOverruns: Int,
            busySeconds: Double, capturedPictures: Int
        ) {
            self.channel = channel
            self.stream = stream
            self.seconds = seconds
            self.newPictures = newPictures
            self.newOverruns = newOverruns
            self.busySeconds = busySeconds
            self.capturedPictures = capturedPictures
        }
    }

    /// Parts of real time.
    static let tight = 0.7
    /// Parts of all pictures that may be passed over before the encoder is too slow.
    static let mostOverruns = 0.02

    package static func findings(_ facts: Facts) -> [FindingReport] {
        let subject = "channel \(facts.channel) \(facts.stream.stream.rawValue)"
        let load = facts.seconds > 0 ? facts.busySeconds / facts.seconds : 0
        let size = "\(facts.stream.width)x\(facts.stream.height)"
        let advice = """
            Lower this stream's frame rate, size or preset (streams.\(facts.stream.stream.rawValue) in the \
            configuration), or give the device less else to do; `edgectl trace` shows where a frame's time goes
            """
        guard facts.newPictures > 0 else {
            guard facts.capturedPictures > 0 else { return [] }
            return [
                FindingReport(
                    .encoder, "stuck", .failure, subject: subject,
                    "no picture came out of the encoder while the camera gave \(facts.capturedPictures)",
                    advice: "journalctl -u edge-agent -p warning says more; systemctl restart edge-agent starts it anew"
                )
            ]
        }
        let share = Double(facts.newOverruns) / Double(facts.newOverruns + facts.newPictures)
        if share > mostOverruns {
            return [
                FindingReport(
                    .encoder, "tooSlow", .failure, subject: subject,
                    "too slow for \(size): \(facts.newOverruns) pictures were passed over in \(DeviceDiagnosis.decimal(facts.seconds)) s",
                    advice: advice)
            ]
        }
        let percent = "\(Int((load * 100).rounded())) % of real time"
        if load > tight {
            return [
                FindingReport(
                    .encoder, "tight", .warning, subject: subject, "needs \(percent) for \(size)", advice: advice)
            ]
        }
        return [.ok(.encoder, subject: subject, "\(size), needs \(percent)")]
    }
}
