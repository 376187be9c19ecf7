/// Which tickets were used, and by whose certificate: what a restart must not undo, or an overheard ticket would be good
/// again. As a text: a line that names the format, then one for each ticket.
package struct UsedTickets: Sendable, Hashable {
    struct Use: Sendable, Hashable {
        /// Seconds since 1970; the ticket is forgotten then.
        let expires: Int64
        /// Of whoever brought it first.
        let certificate: String
    }

    package static let formatLine = "edge-agent tickets 1"
    /// Longer texts are not ours: as many tickets as are remembered, with the longest names.
    package static let maximumBytes = 1 << 20
    /// That are remembered until they expire.
    package static let maximumTickets = 4096

    private var uses: [String: Use] = [:]

    package init() {}

    /// Nil where the first line is not ours. Lines that cannot be read are left out.
    package init?(text: some StringProtocol) {
        var lines = text.split(separator: "\n")[...]
        guard text.utf8.count <= Self.maximumBytes, let first = lines.popFirst(), first == Self.formatLine else {
            return nil
        }
        for line in lines.prefix(Self.maximumTickets) {
            let words = line.split(separator: " ")
            guard words.count == 3, let expires = Int64(words[0]), let id = Base64URL.decode(words[1]) else { continue }
            uses[String(decoding: id, as: UTF8.self)] = Use(expires: expires, certificate: String(words[2]))
        }
    }

    package var text: String {
        let lines = uses.sorted { ($0.value.expires, $0.key) < ($1.value.expires, $1.key) }.map { id, use in
            "\(use.expires) \(Base64URL.encode(id.utf8)) \(use.certificate)\n"
        }
        return Self.formatLine + "\n" + lines.joined()
    }

    package var count: Int { uses.count }

    /// Whose it is; nil where it was not used.
    package func owner(of id: String) -> String? { uses[id]?.certificate }

    /// False where there is no room for another.
    package mutating func note(_ id: String, expires: Int64, certificate: String, now: Int64) -> Bool {
        uses = uses.filter { now < $0.value.expires }
        guard uses.count < Self.maximumTickets else { return false }
        uses[id] = Use(expires: expires, certificate: certificate)
        return true
    }
}

/// Where used tickets are kept over a restart. Both calls may block.
package protocol TicketStore: Sendable {
    /// What was kept; nil where nothing was, or where it cannot be read.
    func load() -> UsedTickets?
    func keep(_ tickets: UsedTickets)
}
