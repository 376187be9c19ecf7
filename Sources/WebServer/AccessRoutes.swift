import Access
import ControlProtocol
import NIOCore
import NIOHTTP1
import Signalling
import Streaming

/// The control API's part on who may come in:
///
/// - `GET access`, `POST access/show`, `POST access/reset`, `GET access/operations`
/// - `POST access/tokens`, `DELETE access/tokens/NAME`
/// - `POST access/tickets`
package struct AccessRoutes: Sendable {
    private let tokens: TokenDesk
    private let tickets: TicketDesk
    let entrance: @Sendable () -> EntranceReport

    /// - Parameter entrance: where viewers come in, and what it takes.
    package init(tokens: TokenDesk, tickets: TicketDesk, entrance: @escaping @Sendable () -> EntranceReport) {
        self.tokens = tokens
        self.tickets = tickets
        self.entrance = entrance
    }

    /// Nil where it is none of these.
    func route(_ request: HTTPRequest, _ path: ArraySlice<Substring>, _ admission: Admission) -> RouteOutcome? {
        let parts = Array(path)
        guard parts.first == "access" else { return nil }
        switch (request.method, parts.count > 1 ? parts[1] : "", parts.count) {
        case (.GET, "", 1): return .answer(.json(report))
        case (.GET, "operations", 2): return .answer(.json(Operation.all.map(OperationReport.init)))
        case (.POST, "show", 2): return show(request)
        case (.POST, "reset", 2):
            return change { tokens throws(TokenDesk.Refusal) in .json(try tokens.reset().map(NewTokenReport.init)) }
        case (.POST, "tickets", 2): return .answer(.ticket(tickets, request, admission))
        case (.POST, "tokens", 2): return add(request)
        case (.DELETE, "tokens", 3):
            let name = String(parts[2])
            return change { tokens throws(TokenDesk.Refusal) in
                try tokens.remove(name)
                return HTTPAnswer(status: 204)
            }
        default: return .answer(.notFound(request.path))
        }
    }

    private var report: AccessReport {
        AccessReport(
            entrance: entrance(), tokens: tokens.entries.map(TokenReport.init), hasUnseen: !tokens.unseen.isEmpty)
    }

    /// Once, unless they are to stay: `{"keep":true}`.
    private func show(_ request: HTTPRequest) -> RouteOutcome {
        let keeps: Bool
        do throws(ControlCodingError) {
            keeps =
                request.body.readableBytes == 0
                ? false : try ControlCoding.decode(ShowOrder.self, from: request.body.readableBytesView).keep
        } catch {
            return .answer(.error(.badRequest("the order: \(error.message)")))
        }
        return change { tokens throws(TokenDesk.Refusal) in
            let unseen = tokens.unseen
            if !keeps, !unseen.isEmpty { try tokens.forgetUnseen() }
            return .json(unseen.map(NewTokenReport.init))
        }
    }

    private func add(_ request: HTTPRequest) -> RouteOutcome {
        let order: TokenOrder
        let grant: Grant
        do {
            order = try ControlCoding.decode(TokenOrder.self, from: request.body.readableBytesView)
            grant = try Grant.ordered(try Right.named(order.rights, else: Right.ofWatchers), channel: order.channel)
        } catch let error as ControlError {
            return .answer(.error(error))
        } catch {
            return .answer(.error(.badRequest("the token order: \(error)")))
        }
        if let seconds = order.seconds, seconds <= 0 {
            return .answer(.error(.badRequest("a token holds for a second at least")))
        }
        return change { tokens throws(TokenDesk.Refusal) in
            let token = try tokens.add(order.name, grant, seconds: order.seconds)
            return .json(NewTokenReport(name: order.name, token: token.text), status: 201)
        }
    }

    /// Waits for the disk, on a thread of its own.
    private func change(
        _ body: @escaping @Sendable (TokenDesk) throws(TokenDesk.Refusal) -> HTTPAnswer
    ) -> RouteOutcome {
        .work { [tokens] in
            await MediaThread.run(name: "access") {
                do throws(TokenDesk.Refusal) { return try body(tokens) } catch { return .error(ControlError(error)) }
            }
        }
    }
}

extension ControlError {
    fileprivate init(_ refusal: TokenDesk.Refusal) {
        let (status, code) =
            switch refusal {
            case .badName, .noRights: (400, "badRequest")
            case .unknownName: (404, "notFound")
            case .nameTaken: (409, "nameTaken")
            case .tooMany: (409, "tooManyTokens")
            case .notKept: (503, "notKept")
            }
        self.init(status: status, code: code, message: "\(refusal)")
    }
}

extension TokenReport {
    fileprivate init(_ entry: AccessMemory.Entry) {
        self.init(
            name: entry.name, rights: entry.grant.rights.map(\.rawValue).sorted(), channel: entry.grant.channel,
            made: entry.made, expires: entry.expires, lastUsed: entry.lastUsed)
    }
}

extension NewTokenReport {
    fileprivate init(_ unseen: AccessMemory.Unseen) { self.init(name: unseen.name, token: unseen.token.text) }
}

extension OperationReport {
    fileprivate init(_ operation: Operation) {
        let requirement =
            switch operation.requirement {
            case .nothing: "nothing"
            case .credential: "any"
            case .right(let right): right.rawValue
            }
        self.init(operation: operation.name, right: requirement)
    }
}
