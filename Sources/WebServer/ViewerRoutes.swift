import ControlProtocol
import NIOHTTP1
import Signalling
import Streaming

/// What viewers and monitoring find: the page, the streams, health and metrics.
package struct ViewerRoutes: RequestRouter {
    private let agent: any AgentView
    private let registry: ViewerRegistry
    private let policy: CrossOriginPolicy
    private let page: PageAssets

    package init(
        agent: any AgentView, registry: ViewerRegistry, policy: CrossOriginPolicy, page: PageAssets = PageAssets()
    ) {
        self.agent = agent
        self.registry = registry
        self.policy = policy
        self.page = page
    }

    package func route(_ request: HTTPRequest) -> RouteOutcome {
        if request.method == .OPTIONS { return .answer(policy.preflight(request)) }
        let known = request.path == "/ipc.flv" || Self.paths.contains(request.path) || page[request.path] != nil
        guard known else { return .answer(.notFound(request.path)) }
        guard request.method == .GET || request.method == .HEAD else {
            return .answer(.methodNotAllowed([.GET, .HEAD, .OPTIONS]))
        }
        switch request.path {
        case "/ipc.flv": return stream(request)
        case "/channels.json": return .answer(.json(agent.viewableChannels().map(ChannelListing.init)))
        case "/healthz": return .work { [agent] in await Self.health(agent) }
        case "/metrics":
            return .work { [agent, registry] in
                let status = await agent.status()
                let viewers = await registry.reports()
                let text = Metrics.text(status, viewers: viewers, totals: registry.totals, process: .current())
                return .text(text, type: "text/plain; version=0.0.4; charset=utf-8")
            }
        default:
            guard let asset = page[request.path] else { return .answer(.notFound(request.path)) }
            return .answer(asset.answer(to: request))
        }
    }

    private static let paths: Set<Substring> = ["/channels.json", "/healthz", "/metrics"]

    private func stream(_ request: HTTPRequest) -> RouteOutcome {
        guard policy.permits(origin: request.origin, host: request.host) else {
            return .answer(
                .error(
                    status: 403, code: "originRefused",
                    message: "pages of this web site may not play streams; add it to server.allowedOrigins"))
        }
        do throws(RequestRefusal) {
            let channels = agent.viewableChannels()
            let live = try LiveRequest(RequestQuery(request.query)) { id in channels.contains { $0.id == id } }
            guard let hub = channels.first(where: { $0.id == live.channel })?.hubs[live.quality] else {
                throw .notFound("channel \(live.channel) has no quality \(LiveRequest.name(of: live.quality))")
            }
            if request.method == .HEAD { return .answer(.flvStream) }
            return .viewer(live, hub)
        } catch {
            return .answer(.refusal(error))
        }
    }

    private static func health(_ agent: any AgentView) async -> HTTPAnswer {
        if let illness = await agent.illness() {
            return .error(status: 503, code: "unhealthy", message: illness)
        }
        return .json(["status": "ok"])
    }
}
