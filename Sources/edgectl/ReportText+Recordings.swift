import ControlProtocol

extension ReportText {
    package static func files(_ files: [RecordedFileReport]) -> String {
        guard !files.isEmpty else { return "No recorded files" }
        var table = TextTable([
            ("STREAM", .left), ("NAME", .left), ("FROM", .left), ("FOR", .right), ("SIZE", .right), ("WHY", .left),
            ("", .left),
        ])
        for file in files {
            var marks: [String] = []
            if file.isGrowing { marks.append("recording") }
            if file.isProtected { marks.append("protected") }
            if file.isDamaged { marks.append("damaged") }
            table.add([
                "\(file.channel)/\(file.stream.rawValue)", file.name, LocalTime.text(milliseconds: file.start),
                Units.duration(Double(file.end - file.start) / 1000), Units.bytes(Int(file.bytes)),
                file.kind.rawValue, marks.joined(separator: ", "),
            ])
        }
        return table.text
    }

    /// An order to record in a sentence.
    package static func record(_ report: RecordCommandReport) -> String {
        let what = "Channel \(report.channel) \(report.stream.rawValue)"
        guard report.isCommanded else { return "\(what) is not recorded on command" }
        guard let until = report.until else { return "\(what) is recorded until record stop" }
        return "\(what) is recorded until \(LocalTime.text(milliseconds: until))"
    }
}
