import Access
import ControlProtocol
import Logging
import PeerToPeer
import Signalling
import Streaming

/// Where offers come in, whichever way they came: looks at tickets, which a link's own certificate is part of, and has
/// the offers answered.
package struct PeerGate: Sendable {
    package let links: PeerLinks
    /// Whether tickets are wanted even of those who are trusted without: there is a key for them.
    let alwaysWantsTickets: Bool
    private let tickets: TicketDesk
    private let areTicketsOfUse: Bool
    private let refusals: RefusalLog

    /// - Parameter areTicketsOfUse: whether there is any way in that takes one.
    package init(
        links: PeerLinks, tickets: TicketDesk, alwaysWantsTickets: Bool, areTicketsOfUse: Bool, logger: Logger
    ) {
        self.links = links
        self.tickets = tickets
        self.alwaysWantsTickets = alwaysWantsTickets
        self.areTicketsOfUse = areTicketsOfUse
        refusals = RefusalLog(logger)
    }

    /// An answer to an offer, and the name of the link that it makes.
    ///
    /// - Parameter holder: what who sends it may do for another reason; nil where only a ticket can say that.
    package func answer(
        _ text: String, ticket: String?, holder: Grant?
    ) async throws(PeerRefusal) -> (token: String, answer: String) {
        let offer: SessionDescription
        do { offer = try SessionDescription(text) } catch { throw PeerRefusal(.malformed, error.description) }
        if let holder { return try await links.answer(offer, grant: holder) }
        return try await links.answer(offer, grant: grant(offer, ticket))
    }

    private func grant(_ offer: SessionDescription, _ text: String?) async throws(PeerRefusal) -> Grant {
        do throws(TicketRefusal) {
            let ticket = try tickets.read(text)
            try await Self.use(ticket, for: offer, at: tickets)
            return ticket.grant
        } catch {
            refusals.note("a peer's ticket was refused", cause: error.rawValue)
            throw PeerRefusal(.notAllowed, text == nil ? "a ticket is needed to connect" : "the ticket is not valid")
        }
    }

    /// On a thread of its own, since it may wait for the disk.
    private static func use(
        _ ticket: Ticket, for offer: SessionDescription, at tickets: TicketDesk
    ) async throws(TicketRefusal) {
        let certificate = offer.fingerprints.map(\.text).joined(separator: ",")
        let session = offer.credentials.ufrag + ":" + offer.credentials.password
        let result: Result<Void, TicketRefusal> = await MediaThread.run(name: "tickets") {
            do throws(TicketRefusal) {
                return .success(try tickets.use(ticket, certificate: certificate, session: session))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// A ticket of this device, as viewers get it.
    ///
    /// - Parameter isShared: whether it is for everybody who reads it.
    package func issue(_ order: TicketOrder, isShared: Bool = false) throws(ControlError) -> TicketReport {
        guard areTicketsOfUse else {
            throw ControlError(
                status: 409, code: "noTicketKey", message: "peers.ticketKey is not set, so no tickets are needed")
        }
        let grant = try Grant.ordered(try Right.named(order.rights, else: Right.ofViewers), channel: order.channel)
        let (text, expires) = tickets.issue(
            grant, seconds: Int64(order.seconds ?? TicketOrder.defaultSeconds), isShared: isShared)
        return TicketReport(ticket: "XP2P\(text)%\(agentVersion)", expires: expires)
    }
}
