import ControlProtocol
import NIOCore
import Signalling

/// The control API's part on messages to viewers: `POST feedback {"visitor":7,"message":{…}}`; without a visitor it is
/// for all that are there.
struct FeedbackRoute: Sendable {
    let desk: FeedbackDesk
    let visitors: VisitorTable

    func route(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .POST else { return .answer(.methodNotAllowed([.POST])) }
        guard let order = JSONReader.read(request.body.readableBytesView), let message = order["message"] else {
            return refuse("the body is {\"visitor\":7,\"message\":{…}}, the visitor may be left out")
        }
        var visitor: VisitorID?
        if let given = order["visitor"], given != .null {
            visitor = given.integer.flatMap { VisitorID(number: Int64($0)) }
            guard visitor != nil else { return refuse("there can be no such visitor") }
        }
        guard let result = desk.tell(message, to: visitor, others: visitors.present) else {
            return refuse("a message has at most \(FeedbackDesk.maximumMessageBytes) bytes")
        }
        return .answer(.json(FeedbackReport(reached: result.reached, waiting: result.waiting)))
    }

    private func refuse(_ reason: String) -> RouteOutcome {
        .answer(.error(status: 400, code: "badRequest", message: reason))
    }
}
