import ControlProtocol
import Testing
import edgectl

@Suite struct UpdateReportTests {
    private func report(_ status: String) throws -> UpdateReport {
        let status = try ControlCoding.decode(RAUCStatus.self, from: status.utf8)
        return try #require(UpdateReport(status, release: SystemRelease(imageVersion: "0.1.0")))
    }

    @Test func aNewDeviceHasHadNoUpdate() throws {
        let report = try report(RecordedRAUC.factory)
        #expect(report.running == .init(slot: "A", version: "0.1.0"))
        #expect(report.other == .init(slot: "B", version: nil))
        #expect(report.confirmed && report.next == "A" && report.lastUpdate == nil)
        #expect(report.board == "edge-agent-qemu-virt")
    }

    @Test(arguments: [
        (RecordedRAUC.installed, "A", true, "B", UpdateReport.Outcome.waitsForRestart),
        (RecordedRAUC.onTrial, "B", false, "B", .onTrial),
        (RecordedRAUC.confirmed, "B", true, "B", .confirmed),
        (RecordedRAUC.rolledBack, "A", true, "A", .rolledBack),
        (RecordedRAUC.interrupted, "A", true, "A", .interrupted),
        (RecordedRAUC.notActivated, "A", true, "A", .interrupted),
    ])
    func theLastUpdate(
        status: String, running: String, confirmed: Bool, next: String, outcome: UpdateReport.Outcome
    ) throws {
        let report = try report(status)
        #expect(report.running.slot == running)
        #expect(report.confirmed == confirmed)
        #expect(report.next == next)
        #expect(report.lastUpdate?.outcome == outcome)
        #expect(report.lastUpdate?.slot == "B")
        #expect(report.lastUpdate?.version == "0.2.0")
    }

    @Test func theLaterOfTwoUpdatesIsTheLast() throws {
        let report = try report(RecordedRAUC.rolledBackToB)
        #expect(report.lastUpdate?.slot == "A")
        #expect(report.lastUpdate?.outcome == .rolledBack)
    }

    @Test func aMachineWithoutSlotsHasNoReport() throws {
        let text = #"{"compatible":"x","booted":null,"boot_primary":null,"slots":[]}"#
        let status = try ControlCoding.decode(RAUCStatus.self, from: text.utf8)
        #expect(UpdateReport(status, release: SystemRelease(imageVersion: nil)) == nil)
    }

    @Test func onlyAConfirmedSystemTakesABundleForItsBoard() throws {
        var bundle = try ControlCoding.decode(RAUCBundle.self, from: RecordedRAUC.bundle.utf8)
        try report(RecordedRAUC.factory).check(bundle)
        try report(RecordedRAUC.rolledBack).check(bundle)
        #expect(throws: UpdateFailure.notConfirmed(.init(slot: "B", version: "0.1.0"))) {
            try report(RecordedRAUC.onTrial).check(bundle)
        }
        bundle.compatible = "edge-agent-raspberry-pi-4"
        #expect(
            throws: UpdateFailure.otherBoard(
                expected: "edge-agent-qemu-virt", found: "edge-agent-raspberry-pi-4")
        ) {
            try report(RecordedRAUC.factory).check(bundle)
        }
    }

    @Test func theReportIsReadable() throws {
        #expect(
            ReportText.update(try report(RecordedRAUC.installed)) == """
                running      0.1.0 in slot A, confirmed
                other        0.2.0 in slot B
                next start   slot B
                last update  0.2.0 in slot B is installed and waits for a restart
                board        edge-agent-qemu-virt
                """)
        #expect(
            ReportText.update(try report(RecordedRAUC.rolledBack)) == """
                running      0.1.0 in slot A, confirmed
                other        0.2.0 in slot B
                last update  0.2.0 in slot B was started, did not become healthy, and was rolled back
                board        edge-agent-qemu-virt
                """)
    }

    @Test func theVersionComesFromTheImage() {
        let text = "PRETTY_NAME=\"EdgeAgent 0.3.0\"\nID=debian\nIMAGE_ID=edge-agent\nIMAGE_VERSION=\"0.3.0\"\n"
        #expect(SystemRelease(parsing: text).imageVersion == "0.3.0")
        #expect(SystemRelease(parsing: "IMAGE_VERSION=1.2~rc1").imageVersion == "1.2~rc1")
        #expect(SystemRelease(parsing: "ID=debian\nIMAGE_VERSION=\n").imageVersion == nil)
    }
}
