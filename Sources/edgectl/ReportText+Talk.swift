import ControlProtocol

extension ReportText {
    package static func talkback(_ report: TalkbackReport) -> String {
        var lines = [
            "Speaker \(report.speaker): " + (report.talk.map { "\($0.from) talks" } ?? "nobody talks")
                + ", \(Units.count(report.talks, "talk")) so far"
                + (report.refused > 0 ? ", \(report.refused) refused" : "")
        ]
        if let talk = report.talk { lines.append("  " + numbers(of: talk)) }
        for echo in report.echoes {
            guard let loss = echo.lossDecibels else { continue }
            let delay = echo.delayMilliseconds.map { ", \($0) ms late" } ?? ""
            lines.append("  echo in channel \(echo.channel) lowered by \(Units.decimal(loss)) dB\(delay)")
        }
        return lines.joined(separator: "\n")
    }

    package static func talkEnd(_ report: TalkEndReport) -> String {
        "\(report.cause): \(numbers(of: report.talk))"
    }

    private static func numbers(of talk: TalkbackReport.Talk) -> String {
        var parts = [
            "\(Units.decimal(Double(talk.playedMilliseconds) / 1000)) s heard",
            "delay \(talk.delayMilliseconds) ms (at most \(talk.longestDelayMilliseconds) ms)",
            "\(talk.droppedMilliseconds) ms dropped",
        ]
        if talk.underruns > 0 {
            parts.append("\(talk.silenceMilliseconds) ms of silence in \(Units.count(talk.underruns, "gap"))")
        }
        if talk.lostFrames > 0 { parts.append("\(Units.count(talk.lostFrames, "frame")) lost") }
        if talk.speakerUnderruns > 0 {
            parts.append("the speaker ran dry \(Units.count(talk.speakerUnderruns, "time"))")
        }
        return parts.joined(separator: ", ")
    }
}
