import Access
import Synchronization

/// Issues tickets, and takes those that come. One for links belongs to the certificate that brings it first, so one that was
/// overheard is worth nothing; who brought it may connect again with it, a few times, with a new session each. A shared
/// one is for everybody who reads it where it is published, and no offer is good with it twice.
package final class TicketDesk: Sendable {
    package typealias Signature = Ticket.Signature

    /// How long a ticket may hold, in seconds.
    package static let lifetimes: ClosedRange<Int64> = 1...86_400
    /// Links that can be made with one ticket of one viewer, and with a shared one.
    package static let maximumLinks = 16
    package static let maximumSharedLinks = 256

    private struct Sessions {
        let expires: Int64
        var names: Set<String> = []
    }

    private struct State {
        /// Nil until it was loaded.
        var used: UsedTickets?
        /// Of tickets that were used since the start; an older offer is worth nothing without its certificate's key.
        var sessions: [String: Sessions] = [:]
    }

    private let device: String
    private let store: (any TicketStore)?
    private let sign: Signature
    private let signURLs: Signature
    private let isGood: @Sendable (String) -> Bool
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameters:
    ///   - device: the id of this device.
    ///   - store: keeps used tickets over a restart.
    ///   - now: seconds since 1970.
    ///   - sign: signs tickets for links.
    ///   - signURLs: signs those for addresses; the same where there is no other.
    ///   - isGood: whether a token of this mark is still good.
    package init(
        device: String, store: (any TicketStore)? = nil, now: @escaping @Sendable () -> Int64,
        sign: @escaping Signature, signURLs: Signature? = nil,
        isGood: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
        self.device = device
        self.store = store
        self.now = now
        self.sign = sign
        self.signURLs = signURLs ?? sign
        self.isGood = isGood
    }

    /// - Parameters:
    ///   - seconds: how long it holds; brought into `lifetimes`.
    ///   - holder: the token that it is made with, and ends with.
    ///   - end: when it ends at the latest, seconds since 1970: a ticket makes none that outlives it.
    ///   - isShared: whether it is for everybody who reads it.
    package func issue(
        _ grant: Grant, seconds: Int64, use: Ticket.Use = .link, holder: String? = nil, end: Int64? = nil,
        isShared: Bool = false
    ) -> (text: String, expires: Int64) {
        let seconds = min(max(seconds, Self.lifetimes.lowerBound), Self.lifetimes.upperBound)
        let ticket = Ticket(
            id: Self.makeID(), device: device, expires: min(now() + seconds, end ?? .max), grant: grant, use: use,
            holder: holder, isShared: isShared)
        return (ticket.text(use == .url ? signURLs : sign), ticket.expires)
    }

    /// One that came with a request over HTTP. It may be used again until it ends, since players connect anew.
    package func admit(_ text: some StringProtocol) throws(TicketRefusal) -> Ticket { try read(text, for: .url) }

    /// A ticket for a link as it came, if it is for this device and holds.
    package func read(_ text: String?) throws(TicketRefusal) -> Ticket {
        guard let text else { throw .missing }
        return try read(text, for: .link)
    }

    private func read(_ text: some StringProtocol, for use: Ticket.Use) throws(TicketRefusal) -> Ticket {
        let ticket = try Ticket(text, sign, signURLs)
        guard ticket.device == device else { throw .otherDevice }
        guard ticket.use == use else { throw .otherUse }
        let time = now()
        guard time < ticket.expires else { throw .expired }
        guard ticket.expires - time <= Self.lifetimes.upperBound else { throw .tooLong }
        if let holder = ticket.holder, !isGood(holder) { throw .withdrawn }
        return ticket
    }

    /// Uses a ticket for a link. Its first use is kept in the store before this returns, so it may block.
    ///
    /// - Parameters:
    ///   - certificate: the fingerprint of the certificate of who brings it.
    ///   - session: what no other offer has, such as its ICE name and password.
    package func use(_ ticket: Ticket, certificate: String, session: String) throws(TicketRefusal) {
        // Short, and says nothing to who reads the file.
        let owner = Base64URL.encode(sign(Array(certificate.utf8)))
        let time = now()
        let refusal = state.withLock { state -> TicketRefusal? in
            if !ticket.isShared, let refusal = claim(ticket, for: owner, now: time, &state) { return refusal }
            return Self.open(session, with: ticket, now: time, &state)
        }
        if let refusal { throw refusal }
    }

    private func claim(_ ticket: Ticket, for owner: String, now: Int64, _ state: inout State) -> TicketRefusal? {
        var used = state.used ?? store?.load() ?? UsedTickets()
        defer { state.used = used }
        if let known = used.owner(of: ticket.id) { return known == owner ? nil : .replayed }
        guard used.note(ticket.id, expires: ticket.expires, certificate: owner, now: now) else { return .tooMany }
        store?.keep(used)
        return nil
    }

    private static func open(
        _ session: String, with ticket: Ticket, now: Int64, _ state: inout State
    ) -> TicketRefusal? {
        if state.sessions[ticket.id] == nil {
            state.sessions = state.sessions.filter { now < $0.value.expires }
            guard state.sessions.count < UsedTickets.maximumTickets else { return .tooMany }
        }
        var sessions = state.sessions[ticket.id] ?? Sessions(expires: ticket.expires)
        guard sessions.names.count < (ticket.isShared ? maximumSharedLinks : maximumLinks),
            sessions.names.insert(session).inserted
        else { return .replayed }
        state.sessions[ticket.id] = sessions
        return nil
    }

    /// 128 random bits.
    private static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
