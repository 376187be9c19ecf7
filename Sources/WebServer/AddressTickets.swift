import Access
import ControlProtocol
import NIOCore
import Signalling

extension HTTPAnswer {
    /// A ticket for addresses, as a request orders it: no more than who asks may do itself, and for no longer.
    static func ticket(_ tickets: TicketDesk, _ request: HTTPRequest, _ admission: Admission) -> HTTPAnswer {
        guard request.body.readableBytes > 0 else { return ticket(tickets, TicketOrder(), admission) }
        guard let json = JSONReader.read(request.body.readableBytesView), case .object = json,
            let order = TicketOrder(json)
        else { return .error(.badRequest("the body is {\"seconds\":300,\"channel\":0,\"rights\":[\"live\"]}")) }
        return ticket(tickets, order, admission)
    }

    private static func ticket(_ tickets: TicketDesk, _ order: TicketOrder, _ admission: Admission) -> HTTPAnswer {
        do throws(ControlError) {
            let rights = try Right.named(order.rights, else: Right.ofViewers)
            let wanted = try Grant.ordered(rights.intersection(Right.ofViewers), channel: order.channel)
            guard let grant = admission.grant.narrowed(to: wanted), !grant.rights.isEmpty else {
                throw ControlError(
                    status: 403, code: "notAllowed", message: "a ticket allows no more than who makes it may do")
            }
            let (text, expires) = tickets.issue(
                grant, seconds: Int64(order.seconds ?? TicketOrder.defaultSeconds), use: .url,
                holder: admission.holder, end: admission.end)
            return .json(TicketReport(ticket: text, expires: expires), status: 201)
        } catch {
            return .error(error)
        }
    }
}

extension TicketOrder {
    /// Nil where anything is not what it should be. Strangers with any token send it, so it is read within bounds.
    fileprivate init?(_ json: JSONValue) {
        self.init()
        if let value = json["seconds"], value != .null {
            guard let number = value.integer, number > 0 else { return nil }
            seconds = number
        }
        if let value = json["channel"], value != .null {
            guard let number = value.integer else { return nil }
            channel = number
        }
        if let value = json["rights"], value != .null {
            guard case .list(let names) = value else { return nil }
            let words = names.compactMap(\.word)
            guard words.count == names.count else { return nil }
            rights = words
        }
    }
}
