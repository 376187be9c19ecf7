import Logging
import Media
import Signalling
import Synchronization

/// Keeps used tickets in a file of the state folder, which is written once for each ticket, when it is used first.
final class TicketFile: TicketStore {
    private let path: String
    private let logger: Logger
    /// What was said last of why it cannot be.
    private let reported = Mutex<String?>(nil)

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    func load() -> UsedTickets? {
        do throws(StateFile.Failure) {
            guard let bytes = try StateFile.read(path, maximumBytes: UsedTickets.maximumBytes) else { return nil }
            let tickets = UsedTickets(text: String(decoding: bytes, as: UTF8.self))
            if tickets == nil { report("\(path) is none of this agent's files") }
            return tickets
        } catch {
            report("\(error)")
            return nil
        }
    }

    func keep(_ tickets: UsedTickets) {
        do throws(StateFile.Failure) {
            try StateFile.replace(path, with: Array(tickets.text.utf8))
            reported.withLock { $0 = nil }
        } catch {
            report("\(error)")
        }
    }

    private func report(_ problem: String) {
        let isNews = reported.withLock { reported in
            defer { reported = problem }
            return reported != problem
        }
        guard isNews else { return }
        logger.warning("used tickets are not kept over a restart", metadata: ["detail": "\(problem)"])
    }
}
