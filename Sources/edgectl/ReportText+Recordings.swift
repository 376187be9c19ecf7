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

    /// The disk in some sentences, and each stream in a line.
    package static func recording(_ recording: RecordingReport) -> String {
        ([disk(recording.disk)] + notes(recording.disk) + [streams(recording.streams)]).filter { !$0.isEmpty }
            .joined(separator: "\n")
    }

    private static func disk(_ disk: RecordingReport.Disk) -> String {
        let state =
            switch disk.state {
            case .opening: "being put in order"
            case .ready: "ready"
            case .full: "full"
            case .readOnly: "read-only"
            case .missing: "not there"
            case .failed: "failing"
            case .idle: "idle"
            }
        var text = "Recordings in \(disk.folder), \(state) for \(Units.duration(disk.sinceSeconds))"
        if !disk.detail.isEmpty { text += ": \(disk.detail)" }
        let (files, bytes) = disk.held.reduce((0, 0)) { ($0.0 + $1.segments, $0.1 + Int($1.bytes)) }
        text += "\n  \(Units.count(files, "file")) of \(Units.bytes(bytes))"
        if let available = disk.availableBytes, let total = disk.totalBytes {
            text += ", \(Units.bytes(Int(available))) of \(Units.bytes(Int(total))) free"
        }
        return text
    }

    /// What is not as it should be.
    private static func notes(_ disk: RecordingReport.Disk) -> [String] {
        var notes: [String] = []
        if disk.unscannedFolders > 0 {
            notes.append("  \(Units.count(disk.unscannedFolders, "day")) of footage yet to be found again")
        }
        if disk.readBackFailures > 0 {
            notes.append(
                "  \(disk.readBackFailures) of \(Units.count(disk.readBacks, "sample")) read back were not as written; "
                    + "the disk may be failing")
        }
        return notes
    }

    private static func streams(_ streams: [RecordingReport.Stream]) -> String {
        guard !streams.isEmpty else { return "" }
        var table = TextTable(
            [
                ("STREAM", .left), ("MODE", .left), ("STATE", .left), ("FOR", .right), ("WRITTEN", .right),
                ("LOST", .right), ("FILE", .left),
            ], indent: "  ")
        for stream in streams {
            table.add([
                "\(stream.channel)/\(stream.stream.rawValue)", stream.mode, stream.state.rawValue,
                Units.duration(stream.sinceSeconds), Units.bytes(Int(stream.fileBytes)), "\(stream.framesLost)",
                stream.file ?? "",
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
