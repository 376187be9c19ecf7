import ControlProtocol
import Testing
import edgectl

@Suite struct RecordingTextTests {
    private let start: Int64

    init() throws { start = try #require(LocalTime.milliseconds("2026-11-21 14:05")) }

    private func file(_ change: (inout RecordedFileReport) -> Void = { _ in }) -> RecordedFileReport {
        var file = RecordedFileReport(
            channel: 0, stream: .main, name: "20261121/140500-main-1f0c39ab.mp4", kind: .continuous, bytes: 75_000_000,
            start: start, end: start + 300_000, isGrowing: false, isProtected: false, isDamaged: false)
        change(&file)
        return file
    }

    @Test func filesAreATable() {
        let other = file {
            ($0.channel, $0.stream, $0.name) = (1, .sub, "20261121/141000-sub-00000001.mp4")
            ($0.kind, $0.bytes, $0.end) = (.commanded, 999, start + 4000)
            ($0.isGrowing, $0.isProtected, $0.isDamaged) = (true, true, true)
        }
        #expect(
            ReportText.files([file(), other]) == """
                STREAM  NAME                               FROM                       FOR     SIZE  WHY
                0/main  20261121/140500-main-1f0c39ab.mp4  2026-11-21 14:05:00  5 min 0 s  75.0 MB  continuous
                1/sub   20261121/141000-sub-00000001.mp4   2026-11-21 14:05:00        4 s    999 B  commanded   recording, protected, damaged
                """)
        #expect(ReportText.files([]) == "No recorded files")
    }

    @Test func anOrderToRecordIsASentence() {
        var report = RecordCommandReport(channel: 3, stream: .sub, isCommanded: true, until: start)
        #expect(ReportText.record(report) == "Channel 3 sub is recorded until 2026-11-21 14:05:00")
        report.until = nil
        #expect(ReportText.record(report) == "Channel 3 sub is recorded until record stop")
        report.isCommanded = false
        #expect(ReportText.record(report) == "Channel 3 sub is not recorded on command")
    }

    @Test(arguments: [
        ("2026-11-21", "2026-11-21 00:00:00"), ("2026-11-21 14:05", "2026-11-21 14:05:00"),
        ("2026-11-21T14:05:09", "2026-11-21 14:05:09"), ("2024-02-29 23:59:59", "2024-02-29 23:59:59"),
    ])
    func timesAreRead(text: String, shown: String) {
        #expect(LocalTime.milliseconds(text).map(LocalTime.text) == shown)
    }

    @Test(arguments: [
        "", "yesterday", "2026-11", "2026-13-01", "2026-11-21 25:00", "2026-11-21 14:05 or so", "1969-01-01",
    ])
    func whatIsNoTimeIsNone(text: String) {
        #expect(LocalTime.milliseconds(text) == nil)
    }
}
