import Glibc
import Logging
import Supervision
import Synchronization
import Testing

@Suite struct JournalLogHandlerTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ form: JournalLogHandler.Form, _ lines: Lines, level: Logger.Level = .trace) -> Logger {
        Logger(label: "test") { _ in
            JournalLogHandler(form: form, threshold: LogThreshold(level)) { bytes in
                lines.all.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            }
        }
    }

    @Test func everyLevelHasItsPriority() {
        let lines = Lines()
        let logger = logger(.journal, lines)
        for level in Logger.Level.allCases { logger.log(level: level, "x") }
        #expect(lines.all.withLock { $0 } == ["<7>x\n", "<7>x\n", "<6>x\n", "<5>x\n", "<4>x\n", "<3>x\n", "<2>x\n"])
    }

    @Test func metadataFollowsSortedAndQuotedWhereNeeded() {
        let lines = Lines()
        var logger = logger(.journal, lines)
        logger[metadataKey: "channel"] = "0"
        logger.info("camera lost", metadata: ["device": "/dev/video0", "detail": "no \"frame\" = 1", "a": ""])
        #expect(
            lines.all.withLock { $0 } == [
                "<6>camera lost a=\"\" channel=0 detail=\"no \\\"frame\\\" = 1\" device=/dev/video0\n"
            ])
    }

    @Test func anEventIsOneLineWhateverIsInIt() {
        let lines = Lines()
        logger(.journal, lines).info("a\n<0>b\u{1b}[2J", metadata: ["k": "v\nw"])
        #expect(lines.all.withLock { $0 } == ["<6>a <0>b [2J k=\"v w\"\n"])
        logger(.journal, lines).info("\(String(repeating: "x", count: 100_000))")
        #expect(lines.all.withLock { $0.last?.utf8.count } == JournalLogHandler.maximumBytes)
    }

    @Test func forPeopleThereIsTheTimeAndTheLevel() {
        let lines = Lines()
        logger(.terminal, lines, level: .info).debug("not this")
        logger(.terminal, lines, level: .info).warning("this")
        let line = lines.all.withLock { $0 }.joined()
        #expect(line.utf8.count == "2026-01-01 00:00:00.000 warning this\n".utf8.count)
        #expect(line.hasSuffix(" warning this\n"))
    }

    @Test func theThresholdOfAllLoggersCanChange() {
        let threshold = LogThreshold(.info)
        let lines = Lines()
        var logger = Logger(label: "test") { _ in
            JournalLogHandler(form: .journal, threshold: threshold) { bytes in
                lines.all.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            }
        }
        logger.debug("a")
        threshold.level = .debug
        logger.debug("b")
        logger.logLevel = .error
        logger.info("c")
        #expect(lines.all.withLock { $0 } == ["<7>b\n"])
    }

    @Test func theJournalIsKnownByItsDeviceAndInode() {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        defer { ends.forEach { close($0) } }
        var info = stat()
        fstat(ends[1], &info)
        #expect(
            JournalLogHandler.form(journalStream: "\(info.st_dev):\(info.st_ino)", standardError: ends[1]) == .journal)
        #expect(JournalLogHandler.form(journalStream: "1:1", standardError: ends[1]) == .terminal)
        #expect(JournalLogHandler.form(journalStream: nil, standardError: ends[1]) == .terminal)
    }
}
