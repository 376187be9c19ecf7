/// One thing that the doctor looked at: whether it is well, why not, and what to do next.
package struct FindingReport: Codable, Sendable, Hashable {
    /// What is looked at together.
    package enum Area: String, Codable, Sendable, CaseIterable {
        /// The service itself, its memory and files.
        case agent
        case camera, sound, encoder, storage, network, clock, motor
        /// Links to viewers: servers that help through routers, and the routers themselves.
        case p2p
        /// Temperature and voltage, where the kernel tells.
        case power
    }

    package enum Verdict: String, Codable, Sendable, CaseIterable, Comparable {
        case ok, warning, failure

        package static func < (left: Verdict, right: Verdict) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .failure: 2
            }
        }
    }

    package var area: Area
    /// A word for programs and for the field guide, such as "black"; "ok" where all is well.
    package var code: String
    package var verdict: Verdict
    /// What it is about, such as "channel 0" or a folder; empty for the whole device.
    package var subject: String
    /// What was seen, in a sentence without its end.
    package var text: String
    /// What to do next; nil where nothing is to be done.
    package var advice: String?

    package init(
        _ area: Area, _ code: String, _ verdict: Verdict, subject: String = "", _ text: String, advice: String? = nil
    ) {
        self.area = area
        self.code = code
        self.verdict = verdict
        self.subject = subject
        self.text = text
        self.advice = advice
    }

    package static func ok(_ area: Area, subject: String = "", _ text: String) -> FindingReport {
        FindingReport(area, "ok", .ok, subject: subject, text)
    }
}
