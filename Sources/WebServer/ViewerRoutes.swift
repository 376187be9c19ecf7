import ControlProtocol
import NIOHTTP1
import Signalling
import Streaming
import Talkback

/// What viewers and monitoring find: the page, the streams, health and metrics.
package struct ViewerRoutes: RequestRouter {
    private let agent: any AgentView
    private let registry: ViewerRegistry
    private let policy: CrossOriginPolicy
    private let commands: CommandTable
    private let footage: FootageAccess?
    private let talk: TalkSlot?
    private let page: PageAssets

    /// - Parameters:
    ///   - footage: nil where nothing is ever recorded.
    ///   - talk: nil where nobody can talk.
    package init(
        agent: any AgentView, registry: ViewerRegistry, policy: CrossOriginPolicy,
        commands: CommandTable = CommandTable(), footage: FootageAccess? = nil, talk: TalkSlot? = nil,
        page: PageAssets = PageAssets()
    ) {
        self.agent = agent
        self.registry = registry
        self.policy = policy
        self.commands = commands
        self.footage = footage
        self.talk = talk
        self.page = page
    }

    package func route(_ request: HTTPRequest) -> RouteOutcome {
        if request.method == .OPTIONS { return .answer(policy.preflight(request)) }
        let known = request.path == "/ipc.flv" || Self.paths.contains(request.path) || page[request.path] != nil
        guard known else { return .answer(.notFound(request.path)) }
        if request.path == "/command" { return command(request) }
        if request.path == "/voice" { return voiceSocket(request) }
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

    private static let paths: Set<Substring> = ["/channels.json", "/command", "/healthz", "/metrics", "/voice"]

    package func voice(_ request: HTTPRequest) -> VoiceStart? { request.path == "/voice" ? talk(request) : nil }

    private func voiceSocket(_ request: HTTPRequest) -> RouteOutcome {
        guard request.wantsWebSocket else { return .answer(.methodNotAllowed([.POST, .OPTIONS])) }
        let start = talk(request)
        if case .refused(let answer) = start { return .answer(answer) }
        return .voice(start)
    }

    private func talk(_ request: HTTPRequest) -> VoiceStart {
        guard isPermitted(request) else { return .refused(Self.originRefused) }
        guard let talk else { return .refused(.talkRefused(.noSpeaker)) }
        let channels = agent.viewableChannels()
        return VoiceRequest(
            slot: talk, hasChannel: { id in channels.contains { $0.id == id } },
            newHolder: { [registry] in TalkHolder(connection: registry.identity()) }
        ).start(request)
    }

    private func stream(_ request: HTTPRequest) -> RouteOutcome {
        guard isPermitted(request) else { return .answer(Self.originRefused) }
        do throws(RequestRefusal) {
            let channels = agent.viewableChannels()
            let query = try RequestQuery(request.query)
            switch try StreamRequest(query, hasChannel: { id in channels.contains { $0.id == id } }) {
            case .live(let live): return try self.live(live, of: channels, request)
            case .playback(let playback):
                guard let footage else { throw .notFound("nothing is recorded here") }
                let visitor = VisitorID(request, query)
                let isHead = request.method == .HEAD
                return .later { await footage.play(playback, for: visitor, onlyHead: isHead) }
            case .download(let download):
                guard let footage else { throw .notFound("nothing is recorded here") }
                let visitor = VisitorID(request, query)
                let isHead = request.method == .HEAD
                let part = DownloadPart(request)
                return .later { await footage.download(download, part: part, for: visitor, onlyHead: isHead) }
            }
        } catch {
            return .answer(.refusal(error))
        }
    }

    private func live(
        _ live: LiveRequest, of channels: [ViewableChannel], _ request: HTTPRequest
    ) throws(RequestRefusal) -> RouteOutcome {
        guard let hub = channels.first(where: { $0.id == live.channel })?.hubs[live.quality] else {
            throw .notFound("channel \(live.channel) has no quality \(LiveRequest.name(of: live.quality))")
        }
        return request.method == .HEAD ? .answer(.flv()) : .viewer(live, hub)
    }

    /// The command is the query, or the body of a POST.
    private func command(_ request: HTTPRequest) -> RouteOutcome {
        guard isPermitted(request) else { return .answer(Self.originRefused) }
        let text: String
        switch request.method {
        case .GET, .HEAD: text = String(request.query)
        case .POST: text = String(buffer: request.body)
        default: return .answer(.methodNotAllowed([.GET, .HEAD, .POST, .OPTIONS]))
        }
        let visitor = VisitorID(request, try? RequestQuery(text))
        let channels = Set(agent.viewableChannels().map(\.id))
        return .work { [commands] in
            let reply = await commands.answer(text, from: visitor) { channels.contains($0) }
            return .text(reply.text, type: "application/json")
        }
    }

    private func isPermitted(_ request: HTTPRequest) -> Bool {
        policy.permits(origin: request.origin, host: request.host)
    }

    private static let originRefused = HTTPAnswer.error(
        status: 403, code: "originRefused",
        message: "pages of this web site may not play streams; add it to server.allowedOrigins")

    private static func health(_ agent: any AgentView) async -> HTTPAnswer {
        if let illness = await agent.illness() {
            return .error(status: 503, code: "unhealthy", message: illness)
        }
        return .json(["status": "ok"])
    }
}

extension DownloadPart {
    /// Nil where all of it is wanted.
    init?(_ request: HTTPRequest) {
        let headers = request.head.headers
        guard request.method == .GET, let range = headers.first(name: "Range").flatMap({ ByteRange($0) }) else {
            return nil
        }
        self.init(range: range, tag: headers.first(name: "If-Range"))
    }
}

extension VisitorID {
    /// Who asks: the header `X-Visitor`, or for what cannot send headers the private parameter `_visitor`.
    init(_ request: HTTPRequest, _ query: RequestQuery?) {
        let text = request.head.headers.first(name: "X-Visitor") ?? query?["_visitor"] ?? ""
        self = UInt32(text).map(VisitorID.init) ?? .anonymous
    }
}
