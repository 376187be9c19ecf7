/// Updates as text for people.
extension ReportText {
    package static func update(_ report: UpdateReport) -> String {
        var table = TextTable([("", .left), ("", .left)])
        table.add(["running", system(report.running) + (report.confirmed ? ", confirmed" : ", not confirmed yet")])
        if let other = report.other { table.add(["other", system(other)]) }
        if let next = report.next, next != report.running.slot { table.add(["next start", "slot \(next)"]) }
        table.add(["last update", report.lastUpdate.map(outcome) ?? "none"])
        if let board = report.board { table.add(["board", board]) }
        return table.text
    }

    private static func system(_ system: UpdateReport.System) -> String {
        "\(system.version ?? "unknown version") in slot \(system.slot)"
    }

    private static func outcome(_ update: UpdateReport.Update) -> String {
        let what = "\(update.version ?? "unknown version") in slot \(update.slot)"
        return switch update.outcome {
        case .waitsForRestart: "\(what) is installed and waits for a restart"
        case .onTrial: "\(what) is on trial: it is confirmed when the agent has been healthy for a while"
        case .confirmed: "\(what) runs and is confirmed"
        case .rolledBack: "\(what) was started, did not become healthy, and was rolled back"
        case .interrupted: "\(what) was not written to its end and will not be started; install it again"
        }
    }

    /// What will happen, before it does.
    package static func updatePlan(_ report: UpdateReport, bundle: RAUCBundle) -> String {
        var text = "Running is \(system(report.running)). Installing \(bundle.version ?? "an unnamed version")"
        if let other = report.other {
            text += " into slot \(other.slot)"
            if let version = other.version { text += ", where \(version) is now" }
        }
        return text + "."
    }

    /// What comes after an installation.
    package static func updateDone(_ report: UpdateReport, restarts: Bool) -> String {
        let begin = restarts ? "Restarting into it now." : "It starts at the next restart: \"systemctl reboot\"."
        return """
            Installed. \(begin) Should it not become healthy, \(system(report.running)) takes over again by itself; \
            "edgectl update --status" tells.
            """
    }
}
