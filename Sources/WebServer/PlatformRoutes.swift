import ControlProtocol
import NIOHTTP1

/// What the control API may ask about links to fleet platforms.
package protocol PlatformView: Sendable {
    func platforms() async -> [PlatformReport]
    /// The last frames of a link, the oldest first.
    func platformFrames(_ name: String) async throws(ControlError) -> [PlatformFrameReport]
}

/// The control API's part on platforms: `GET platforms`, `GET platforms/NAME/frames`.
package struct PlatformRoutes: Sendable {
    private let view: any PlatformView

    package init(_ view: any PlatformView) { self.view = view }

    /// Nil where it is none of these.
    func route(_ request: HTTPRequest, _ path: ArraySlice<Substring>) -> RouteOutcome? {
        let parts = Array(path)
        guard parts.first == "platforms" else { return nil }
        guard request.method == .GET || request.method == .HEAD else {
            return .answer(.methodNotAllowed([.GET, .HEAD]))
        }
        switch parts.count {
        case 1: return .work { [view] in .json(await view.platforms()) }
        case 3 where parts[2] == "frames":
            let name = String(parts[1])
            return .answering { [view] () async throws(ControlError) in .json(try await view.platformFrames(name)) }
        default: return .answer(.notFound(request.path))
        }
    }
}
