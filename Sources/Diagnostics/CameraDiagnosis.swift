import ControlProtocol

/// Judges a channel's camera by what it reports and by what it sees.
package enum CameraDiagnosis {
    /// What a picture looks like from afar.
    package struct Look: Sendable, Hashable {
        /// Brightness, 0 to 255.
        package var mean: Double
        /// From the darkest to the brightest part.
        package var contrast: Int
        /// Different where anything in the picture is.
        package var fingerprint: Int

        package init(mean: Double, contrast: Int, fingerprint: Int) {
            self.mean = mean
            self.contrast = contrast
            self.fingerprint = fingerprint
        }
    }

    package struct Facts: Sendable {
        package var channel: ChannelReport
        /// Privacy mode lets cameras go.
        package var isStandby = false
        /// Pictures a second, as configured.
        package var wantedRate: Double
        /// As counted just now; nil where nobody counted.
        package var rate: Double?
        /// Some looks over a second or two; none where the camera encodes itself.
        package var looks: [Look] = []
        package var uptimeSeconds: Double

        package init(
            channel: ChannelReport, isStandby: Bool = false, wantedRate: Double, rate: Double? = nil,
            looks: [Look] = [], uptimeSeconds: Double
        ) {
            self.channel = channel
            self.isStandby = isStandby
            self.wantedRate = wantedRate
            self.rate = rate
            self.looks = looks
            self.uptimeSeconds = uptimeSeconds
        }
    }

    /// Parts of the wanted rate below which a camera is slow.
    static let slowest = 0.8
    /// Luma: darker is black, brighter is white, where there is next to no contrast.
    static let black = 28.0
    static let white = 220.0
    static let leastContrast = 12
    /// Fewer looks do not show that nothing moves.
    static let looksForFrozen = 3
    /// A device that came back more often, for each hour, has a bad cable or too little power.
    static let mostReturnsPerHour = 3.0

    package static func findings(_ facts: Facts) -> [FindingReport] {
        let camera = facts.channel.camera
        let subject = "channel \(facts.channel.channel)"
        guard camera.state != .none else { return [] }
        guard !facts.isStandby else { return [.ok(.camera, subject: subject, "let go: the device is in privacy mode")] }
        guard camera.state == .running else {
            return [DeviceDiagnosis.away(.camera, subject: subject, camera, group: "video")]
        }
        var found = rate(facts, subject) + sight(facts, subject)
        if let returns = DeviceDiagnosis.returns(.camera, subject: subject, camera, uptimeSeconds: facts.uptimeSeconds)
        {
            found.append(returns)
        }
        guard found.isEmpty else { return found }
        let rate = facts.rate.map { ", \(DeviceDiagnosis.decimal($0)) pictures a second" } ?? ""
        return [.ok(.camera, subject: subject, "\(camera.device), \(camera.detail)\(rate)")]
    }

    private static func rate(_ facts: Facts, _ subject: String) -> [FindingReport] {
        guard let rate = facts.rate, facts.wantedRate > 0, rate < facts.wantedRate * slowest else { return [] }
        let figures =
            "\(DeviceDiagnosis.decimal(rate)) pictures a second in place of \(DeviceDiagnosis.decimal(facts.wantedRate))"
        return [
            FindingReport(
                .camera, "slow", rate < facts.wantedRate / 10 ? .failure : .warning, subject: subject,
                "\(facts.channel.camera.device) gives \(figures)",
                advice: """
                    Many cameras slow down in the dark: give it light, or fix the exposure (v4l2-ctl -l lists what it \
                    has). Over USB, see whether it gets the speed it needs (lsusb -t), or choose MJPEG or a smaller \
                    picture; `edge-agent devices` lists what it offers
                    """)
        ]
    }

    private static func sight(_ facts: Facts, _ subject: String) -> [FindingReport] {
        guard let last = facts.looks.last else { return [] }
        let device = facts.channel.camera.device
        let mean = Int(last.mean.rounded())
        // As far as the doctor looked, so that a flash or a passing car does not count.
        func all(_ isSo: (Look) -> Bool) -> Bool { facts.looks.allSatisfy(isSo) }
        if all({ $0.contrast < leastContrast && $0.mean < black }) {
            return [
                FindingReport(
                    .camera, "black", .warning, subject: subject,
                    "\(device) sees black (brightness \(mean) of 255, no contrast)",
                    advice:
                        "Is the lens covered, a privacy shutter closed, or the room dark? `edgectl snapshot` shows it")
            ]
        }
        if all({ $0.contrast < leastContrast && $0.mean > white }) {
            return [
                FindingReport(
                    .camera, "white", .warning, subject: subject,
                    "\(device) sees white (brightness \(mean) of 255, no contrast)",
                    advice: """
                        Does it look into a lamp or the sun? Let it choose its exposure again \
                        (v4l2-ctl -c auto_exposure=3), or turn it
                        """)
            ]
        }
        if all({ $0.contrast < leastContrast }) {
            return [
                FindingReport(
                    .camera, "blank", .warning, subject: subject,
                    "\(device) sees one even grey (brightness \(mean) of 255)",
                    advice:
                        "Is something right before the lens, or is the sensor's cable loose? `edgectl snapshot` shows it"
                )
            ]
        }
        if facts.looks.count >= looksForFrozen, all({ $0.fingerprint == last.fingerprint }) {
            return [
                FindingReport(
                    .camera, "frozen", .warning, subject: subject,
                    "\(device) gives the same picture again and again, to the last bit",
                    advice: """
                        A real sensor is never so still. Unplug it, or have its driver loaded anew; a source that is a \
                        still picture is meant to be so
                        """)
            ]
        }
        return []
    }
}
