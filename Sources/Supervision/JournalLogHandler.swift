import Glibc
import Logging

/// Writes one line to standard error for each event: `message key=value …`. For the journal with the priority in
/// front, as sd-daemon(3) defines; for people with the time and the level.
package struct JournalLogHandler: LogHandler {
    package enum Form: Sendable {
        /// `<6>message key=value`: the journal knows time and process.
        case journal
        /// `2026-01-01 00:00:00.000 info message key=value`
        case terminal
    }

    /// A line longer than this is cut: the journal would split it at 48 KiB.
    package static let maximumBytes = 8192

    /// The shared threshold, unless this logger was given its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private var ownLevel: Logger.Level?
    private let threshold: LogThreshold
    private let form: Form
    private let write: @Sendable ([UInt8]) -> Void

    package init(
        form: Form, threshold: LogThreshold,
        write: @escaping @Sendable ([UInt8]) -> Void = Self.writeToStandardError
    ) {
        self.form = form
        self.threshold = threshold
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        var line: String
        switch form {
        case .journal: line = "<\(Self.priority(event.level))>"
        case .terminal: line = "\(Self.wallClock()) \(event.level) "
        }
        line += Self.clean("\(event.message)")
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted("\(value)"))" }
        if let error = event.error { line += " error=\(Self.quoted("\(error)"))" }
        var bytes = Array(line.utf8.prefix(Self.maximumBytes - 1))
        bytes.append(10)
        write(bytes)
    }

    /// Syslog's priorities.
    static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }

    /// A line feed in a message must not make a second line, nor anything else a command to a terminal.
    private static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127...159).contains(scalar.value)
    }

    private static func quoted(_ text: String) -> String {
        let text = clean(text)
        guard text.isEmpty || text.utf8.contains(where: { $0 == 32 || $0 == 34 || $0 == 61 }) else { return text }
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "\""
    }

    private static func wallClock() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var date = tm()
        localtime_r(&now.tv_sec, &date)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &date)
        let milliseconds = String(now.tv_nsec / 1_000_000)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) + "."
            + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
    }

    /// One write for each line, so that lines of several threads do not mix.
    package static let writeToStandardError: @Sendable ([UInt8]) -> Void = { bytes in
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads: the line is lost, the agent is not.
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Journal's form where standard error is the journal: JOURNAL_STREAM holds its device and inode (systemd.exec(5)).
    package static func form(journalStream: String?, standardError: Int32 = STDERR_FILENO) -> Form {
        var info = stat()
        guard let journalStream, fstat(standardError, &info) == 0 else { return .terminal }
        return journalStream == "\(info.st_dev):\(info.st_ino)" ? .journal : .terminal
    }

    package static func formFromEnvironment() -> Form {
        form(journalStream: getenv("JOURNAL_STREAM").map { String(cString: $0) })
    }
}
