import ControlProtocol
import NIOCore
import NIOHTTP1

/// The control API's part on heads that turn: `GET channels/ID/ptz`, `POST channels/ID/ptz`.
package struct MotionRoutes: Sendable {
    private let control: any MotionControl

    package init(control: any MotionControl) { self.control = control }

    /// Nil where it is none of these.
    func route(_ request: HTTPRequest, _ path: ArraySlice<Substring>) -> RouteOutcome? {
        let parts = Array(path)
        guard parts.count == 3, parts[0] == "channels", parts[2] == "ptz" else { return nil }
        guard let channel = Int(parts[1]) else { return .answer(.notFound(request.path)) }
        switch request.method {
        case .GET, .HEAD:
            return .answering { [control] () async throws(ControlError) in
                .json(try await control.head(channel: channel))
            }
        case .POST:
            let order: PTZOrder
            do throws(ControlCodingError) {
                order = try ControlCoding.decode(PTZOrder.self, from: request.body.readableBytesView)
            } catch {
                return .answer(.error(.badRequest("the order to the head: \(error.message)")))
            }
            // Cancelled when the client leaves, and with it the press that the request holds.
            return .answering { [control] () async throws(ControlError) in
                .json(try await control.perform(channel: channel, order))
            }
        default: return .answer(.methodNotAllowed([.GET, .HEAD, .POST]))
        }
    }
}
