import Logging
import NIOCore
import Signalling
import Synchronization

/// One line for each kind of refused ticket, and then at most one a minute: whoever knocks at the door all day shall not
/// fill the journal.
final class RefusalLog: Sendable {
    static let interval = TimeAmount.minutes(1)

    private struct Entry {
        var lastLine: NIODeadline
        var unsaid = 0
    }

    private let logger: Logger
    private let entries = Mutex<[TicketRefusal: Entry]>([:])

    init(_ logger: Logger) { self.logger = logger }

    func note(_ refusal: TicketRefusal) {
        let now = NIODeadline.now()
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
        var metadata: Logger.Metadata = ["cause": "\(refusal.rawValue)"]
        if unsaid > 0 { metadata["since the last line"] = "\(unsaid)" }
        logger.warning("a peer's ticket was refused", metadata: metadata)
    }
}
