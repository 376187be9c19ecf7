import Logging
import NIOCore
import Synchronization

/// One line for each kind of refusal, and then at most one a minute: whoever knocks at the door all day shall not
/// fill the journal.
final class RefusalLog: Sendable {
    static let interval = TimeAmount.minutes(1)

    private struct Entry {
        var lastLine: NIODeadline
        var unsaid = 0
    }

    private let logger: Logger
    private let entries = Mutex<[String: Entry]>([:])

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameters:
    ///   - message: what was refused; one of a few.
    ///   - cause: why; one of a few. Never anything that the other side sent.
    ///   - origin: where the last one came from, where that is known.
    func note(_ message: String, cause: String, from origin: String? = nil) {
        let now = NIODeadline.now()
        let refusal = "\(message): \(cause)"
        let unsaid = entries.withLock { entries -> Int? in
            guard let entry = entries[refusal] else {
                entries[refusal] = Entry(lastLine: now)
                return 0
            }
            guard now - entry.lastLine >= Self.interval else {
                entries[refusal]?.unsaid += 1
                return nil
            }
            entries[refusal] = Entry(lastLine: now)
            return entry.unsaid
        }
        guard let unsaid else { return }
        var metadata: Logger.Metadata = ["cause": "\(cause)"]
        if let origin { metadata["address"] = "\(origin)" }
        if unsaid > 0 { metadata["since the last line"] = "\(unsaid)" }
        logger.warning("\(message)", metadata: metadata)
    }
}
