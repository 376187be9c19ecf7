import ControlProtocol

extension ReportText {
    /// Lines are broken here, so that they can be read on a narrow terminal too.
    private static let width = 100

    /// What the doctor found, each with what to do about it, and a sum.
    package static func findings(_ findings: [FindingReport]) -> String {
        let lines = findings.map { finding in
            let head = "\(pad(finding.verdict.rawValue, 7))  \(pad(finding.area.rawValue, 7))  "
            let text = (finding.subject.isEmpty ? "" : "\(finding.subject): ") + finding.text
            let indent = String(repeating: " ", count: head.count)
            var block = wrapped(text, indent: indent)
            if let advice = finding.advice { block += "\n" + wrapped(advice, indent: indent + "  ") }
            return head + block.dropFirst(indent.count)
        }
        func count(_ verdict: FindingReport.Verdict) -> Int { findings.count { $0.verdict == verdict } }
        let sum =
            count(.failure) + count(.warning) == 0
            ? "Nothing is wrong"
            : "\(Units.count(count(.failure), "failure")), \(Units.count(count(.warning), "warning"))"
        return (lines + ["", sum]).joined(separator: "\n")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    private static func wrapped(_ text: String, indent: String) -> String {
        var lines: [String] = []
        var line = indent
        for word in text.split(separator: " ") {
            if line.count > indent.count, line.count + 1 + word.count > width {
                lines.append(line)
                line = indent
            }
            line += (line.count > indent.count ? " " : "") + word
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
