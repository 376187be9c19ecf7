import ControlProtocol

extension ReportText {
    package static func stages(_ stages: [StageReport]) -> String {
        guard !stages.isEmpty else { return "No pictures yet: nobody has watched this stream" }
        var table = TextTable([
            ("STAGE", .left), ("MEDIAN", .right), ("P99", .right), ("MOST", .right), ("WHAT", .left),
        ])
        for stage in stages {
            table.add([
                stage.stage.rawValue, milliseconds(stage.median), milliseconds(stage.p99), milliseconds(stage.maximum),
                meaning(stage.stage),
            ])
        }
        let sum = stages.reduce(0) { $0 + $1.median }
        table.add(["all", milliseconds(sum), "", "", "\(stages.map(\.pictures).max() ?? 0) pictures"])
        return table.text
    }

    private static func milliseconds(_ microseconds: Int) -> String {
        "\(microseconds / 1000).\(microseconds / 100 % 10)\(microseconds / 10 % 10) ms"
    }

    private static func meaning(_ stage: StageReport.Stage) -> String {
        switch stage {
        case .camera: "from the driver's time stamp until the agent has it"
        case .prepare: "conversion, turning, text"
        case .wait: "for the encoder"
        case .encode: "scaling and encoding"
        case .publish: "wrapping, caching"
        case .deliver: "to every viewer, push and recording"
        }
    }
}
