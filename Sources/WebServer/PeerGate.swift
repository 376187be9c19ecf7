import ControlProtocol
import Logging
import PeerToPeer
import Signalling

/// Where offers come in, whichever way they came: looks at tickets, where the device has a key for them, and has the
/// offers answered.
package struct PeerGate: Sendable {
    package let links: PeerLinks
    private let tickets: TicketDesk?
    private let refusals: RefusalLog

    /// - Parameter tickets: nil where everybody who reaches the device may connect.
    package init(links: PeerLinks, tickets: TicketDesk? = nil, logger: Logger) {
        self.links = links
        self.tickets = tickets
        refusals = RefusalLog(logger)
    }

    package var needsTicket: Bool { tickets != nil }

    /// An answer to an offer, and the name of the link that it makes.
    package func answer(
        _ text: String, ticket: String?
    ) async throws(PeerRefusal) -> (token: String, answer: String) {
        let offer: SessionDescription
        do { offer = try SessionDescription(text) } catch { throw PeerRefusal(.malformed, error.description) }
        return try await links.answer(offer, grant: grant(offer, ticket))
    }

    private func grant(_ offer: SessionDescription, _ ticket: String?) async throws(PeerRefusal) -> PeerGrant {
        guard let tickets else { return .everything }
        // Whoever has none costs no more than this.
        if ticket != nil { try await links.prepare() }
        do throws(TicketRefusal) {
            return try tickets.admit(
                ticket, certificate: offer.fingerprints.map(\.text).joined(separator: ","),
                session: offer.credentials.ufrag + ":" + offer.credentials.password)
        } catch {
            refusals.note(error)
            throw PeerRefusal(.notAllowed, ticket == nil ? "a ticket is needed to connect" : "the ticket is not valid")
        }
    }

    /// A ticket of this device, as viewers get it.
    package func issue(_ order: TicketOrder) async throws(ControlError) -> TicketReport {
        guard let tickets else {
            throw ControlError(
                status: 409, code: "noTicketKey", message: "peers.ticketKey is not set, so no tickets are needed")
        }
        if let channel = order.channel, !(0...Int(UInt16.max)).contains(channel) {
            throw .badRequest("there is no channel \(channel)")
        }
        do throws(PeerRefusal) { try await links.prepare() } catch {
            throw ControlError(status: 503, code: "peersUnavailable", message: error.message)
        }
        let rights = try Self.rights(order.rights)
        let (text, expires) = tickets.issue(
            PeerGrant(rights: rights, channel: order.channel),
            seconds: Int64(order.seconds ?? TicketOrder.defaultSeconds))
        return TicketReport(ticket: "XP2P\(text)%\(agentVersion)", expires: expires)
    }

    private static func rights(_ names: [String]?) throws(ControlError) -> Set<PeerGrant.Right> {
        guard let names else { return PeerGrant.everything.rights }
        var rights: Set<PeerGrant.Right> = []
        for name in names {
            guard let right = PeerGrant.Right(rawValue: name) else {
                let known = PeerGrant.Right.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("there is no right \"\(name)\"; known are \(known)")
            }
            rights.insert(right)
        }
        return rights
    }
}
