import Glibc
import Testing
import edgectl

/// The engine's client on a script that stands in for RAUC and says what the real one said.
@Suite struct UpdateEngineTests {
    private func engine(_ script: String) throws -> (engine: UpdateEngine, remove: () -> Void) {
        var template = Array("/tmp/edgectl-tests.XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        var engine = UpdateEngine()
        engine.program = folder + "/rauc"
        let file = try #require(fopen(engine.program, "w"))
        fputs("#!/bin/sh\n" + script, file)
        fclose(file)
        chmod(engine.program, 0o755)
        return (
            engine,
            { [program = engine.program] in
                unlink(program)
                rmdir(folder)
            }
        )
    }

    @Test func aBundleIsInspected() throws {
        let (engine, remove) = try engine(
            """
            test "$*" = "info --output-format=json /x y.raucb" || exit 9
            echo 'rauc-Message: 14:39:31.141: Verifying bundle signature...' >&2
            echo '\(RecordedRAUC.bundle)'
            """)
        defer { remove() }
        let bundle = try engine.inspect("/x y.raucb")
        #expect(bundle.compatible == "edge-agent-qemu-virt")
        #expect(bundle.version == "0.2.0")
    }

    @Test func anInstallationShowsItsProgress() throws {
        let (engine, remove) = try engine(
            """
            echo installing
            echo '  0% Installing'
            echo '  0% Determining slot states'
            echo ' 46% Copying image to system.1'
            echo ' 99% Updating slots done.'
            echo '100% Installing done.'
            echo 'Installing `/update.raucb` succeeded'
            """)
        defer { remove() }
        var percents: [Int] = []
        try engine.install("/update.raucb") { percents.append($0) }
        #expect(percents == [0, 46, 99, 100])
    }

    @Test func aRefusedInstallationSaysWhy() throws {
        let (engine, remove) = try engine(
            """
            echo installing
            echo '100% Installing failed.'
            echo "LastError: Compatible mismatch: Expected 'this' but bundle manifest has 'that'"
            echo idle
            echo 'Installing `/update.raucb` failed' >&2
            exit 1
            """)
        defer { remove() }
        #expect(throws: UpdateFailure.otherBoard(expected: "this", found: "that")) {
            try engine.install("/update.raucb") { _ in }
        }
    }

    @Test func aSecondInstallationIsRefused() throws {
        let (engine, remove) = try engine(
            """
            echo >&2
            echo '(rauc:5319): rauc-WARNING **: 14:42:47.630: already processing a different method' >&2
            echo 'Error retrieving slot status via D-Bus: error calling D-Bus method "GetSlotStatus": \
            already processing a different method' >&2
            exit 1
            """)
        defer { remove() }
        #expect(throws: UpdateFailure.alreadyInstalling) { try engine.status() }
    }

    @Test func aMachineWithoutTheEngineSaysSo() {
        var engine = UpdateEngine()
        engine.program = "/nonexistent/rauc"
        #expect(throws: UpdateFailure.noEngine) { try engine.status() }
    }

    @Test func nonsenseIsNotBelieved() throws {
        let (engine, remove) = try engine("echo '{\"compatible\":7}'; exit 0")
        defer { remove() }
        #expect {
            try engine.status()
        } throws: { error in
            if case .engineBroken? = error as? UpdateFailure { true } else { false }
        }
    }

    @Test func anEngineThatHangsIsEnded() throws {
        var (engine, remove) = try engine("exec sleep 1000")
        defer { remove() }
        engine.answerPatience = 1
        #expect(throws: UpdateFailure.engineSilent(seconds: 1)) { try engine.status() }
    }

    /// As RAUC 1.13 and 1.8 say it on standard error, or after "LastError: ".
    @Test(arguments: [
        ("signature verification failed: Verify error: self-signed certificate", "signature"),
        ("signature verification failed: Verify error: unable to get local issuer certificate", "signature"),
        ("signature verification failed: Verify error: certificate is not yet valid", "signature"),
        ("signature verification failed: error:1700009E:CMS routines::verification failure", "damaged"),
        ("Invalid bundle format: Signature size (16707742810495750668) exceeds bundle size", "damaged"),
        ("Invalid bundle format: Signature size is 0", "damaged"),
        ("Invalid bundle format: Failed to seek to end of bundle: Error seeking in file: Invalid argument", "damaged"),
        ("Compatible mismatch: Expected 'edge-agent-a' but bundle manifest has 'edge-agent-b'", "otherBoard"),
        ("Failed to contact rauc service: Already processing a different method", "busy"),
        (
            "Failed to contact rauc service: The name de.pengutronix.rauc was not provided by any .service files",
            "unavailable"
        ),
        (
            "Installation error: Failed updating slot system.1: Slot (1 bytes) is too small for image (2 bytes).",
            "failed"
        ),
        ("", "failed"),
    ])
    func complaintsAreUnderstood(text: String, code: String) {
        let messages = "rauc-Message: 14:39:31.180: Reading bundle: /lab/signature.raucb\n"
        let failure = UpdateFailure(engineSaid: messages + text)
        #expect(failure.code == code)
        #expect(!"\(failure)".contains("rauc-Message"))
        if !text.isEmpty, code == "failed" { #expect("\(failure)".contains(text)) }
    }
}
