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
    private let feedback: FeedbackDesk
    private let footage: FootageAccess?
    private let talk: TalkSlot?
    private let page: PageAssets

    /// - Parameters:
    ///   - footage: nil where nothing is ever recorded.
    ///   - talk: nil where nobody can talk.
    package init(
        agent: any AgentView, registry: ViewerRegistry, policy: CrossOriginPolicy,
        commands: CommandTable = CommandTable(), feedback: FeedbackDesk = FeedbackDesk(),
        footage: FootageAccess? = nil, talk: TalkSlot? = nil, page: PageAssets = PageAssets()
    ) {
        self.agent = agent
        self.registry = registry
        self.policy = policy
        self.commands = commands
        self.feedback = feedback
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
        case "/feedback": return listen(request)
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

    private static let paths: Set<Substring> = [
        "/channels.json", "/command", "/feedback", "/healthz", "/metrics", "/voice",
    ]

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
            registry: registry, takesPlace: true
        ).start(request)
    }

    private func stream(_ request: HTTPRequest) -> RouteOutcome {
        guard isPermitted(request) else { return .answer(Self.originRefused) }
        do throws(RequestRefusal) {
            let channels = agent.viewableChannels()
            let query = try RequestQuery(request.query)
            let viewer = registry.visitors.saw(ViewerIdentity(request, query))
            switch try StreamRequest(query, hasChannel: { id in channels.contains { $0.id == id } }) {
            case .live(let live): return try self.live(live, tracks: .all, of: channels, for: viewer, request)
            case .liveAudio(let live): return try self.live(live, tracks: .audio, of: channels, for: viewer, request)
            case .livePictures(let live): return try self.pictures(live, of: channels, for: viewer, request)
            case .playback(let playback): return try self.playback(playback, tracks: .all, for: viewer, request)
            case .playbackAudio(let playback):
                guard channels.contains(where: { $0.id == playback.channel && $0.hasAudio }) else {
                    throw .notFound("channel \(playback.channel) has no sound")
                }
                return try self.playback(playback, tracks: .audio, for: viewer, request)
            case .download(let download):
                guard let footage else { throw .notFound("nothing is recorded here") }
                let isHead = request.method == .HEAD
                let part = DownloadPart(request)
                return .later { await footage.download(download, part: part, for: viewer, onlyHead: isHead) }
            }
        } catch {
            return .answer(.refusal(error))
        }
    }

    private func live(
        _ live: LiveRequest, tracks: TrackSelection, of channels: [ViewableChannel], for viewer: ViewerIdentity,
        _ request: HTTPRequest
    ) throws(RequestRefusal) -> RouteOutcome {
        let channel = channels.first { $0.id == live.channel }
        if tracks == .audio, channel?.hasAudio != true { throw .notFound("channel \(live.channel) has no sound") }
        // Every stream of a channel has the same sound.
        guard let hub = channel?.hubs[live.quality] ?? (tracks == .audio ? channel?.hubs[.main] : nil) else {
            throw .notFound("channel \(live.channel) has no quality \(LiveRequest.name(of: live.quality))")
        }
        if agent.isStandby { throw .standby }
        let start = LiveStart(request: live, tracks: tracks, hub: hub, viewer: viewer)
        return request.method == .HEAD ? .answer(.flv()) : .viewer(start)
    }

    private func pictures(
        _ live: LiveRequest, of channels: [ViewableChannel], for viewer: ViewerIdentity, _ request: HTTPRequest
    ) throws(RequestRefusal) -> RouteOutcome {
        guard let feed = channels.first(where: { $0.id == live.channel })?.pictures[live.quality],
            !request.wantsWebSocket
        else { throw .notFound("channel \(live.channel) has no such pictures over this transport") }
        if agent.isStandby { throw .standby }
        return request.method == .HEAD
            ? .answer(.pictures) : .pictures(PictureStart(request: live, feed: feed, viewer: viewer))
    }

    private func playback(
        _ playback: PlaybackRequest, tracks: TrackSelection, for viewer: ViewerIdentity, _ request: HTTPRequest
    ) throws(RequestRefusal) -> RouteOutcome {
        guard let footage else { throw .notFound("nothing is recorded here") }
        let isHead = request.method == .HEAD
        return .later { await footage.play(playback, tracks: tracks, for: viewer, onlyHead: isHead) }
    }

    /// The command is the query, or the body of a POST.
    private func command(_ request: HTTPRequest) -> RouteOutcome {
        guard isPermittedToAct(request) else { return .answer(Self.originRefused) }
        let text: String
        switch request.method {
        case .GET, .HEAD: text = String(request.query)
        case .POST: text = String(buffer: request.body)
        default: return .answer(.methodNotAllowed([.GET, .HEAD, .POST, .OPTIONS]))
        }
        let command: CommandText
        do throws(RequestRefusal) { command = try CommandText(text) } catch {
            return .answer(.text(CommandReply.wrongRequest.text, type: "application/json"))
        }
        let viewer = registry.visitors.saw(ViewerIdentity(request, command.query))
        let channels = Set(agent.viewableChannels().map(\.id))
        if let reply = commands.answerAtOnce(command, from: viewer, hasChannel: channels.contains) {
            return .answer(.text(reply.text, type: "application/json"))
        }
        return .work { [commands] in
            let reply = await commands.answer(command, from: viewer, hasChannel: channels.contains)
            return .text(reply.text, type: "application/json")
        }
    }

    /// Messages from the device to this visitor.
    private func listen(_ request: HTTPRequest) -> RouteOutcome {
        guard isPermittedToAct(request) else { return .answer(Self.originRefused) }
        guard request.method == .GET else { return .answer(.methodNotAllowed([.GET])) }
        let viewer = ViewerIdentity(request, try? RequestQuery(request.query))
        return .feedback(FeedbackStart(viewer: viewer, desk: feedback, visitors: registry.visitors))
    }

    private func isPermitted(_ request: HTTPRequest) -> Bool {
        policy.permits(origin: request.origin, host: request.host)
    }

    /// A browser names no origin where another site's page merely shows what it takes for a picture; newer ones say at
    /// least that it was such a page (Fetch Metadata Request Headers).
    private func isPermittedToAct(_ request: HTTPRequest) -> Bool {
        let isForeign = request.head.headers.first(name: "Sec-Fetch-Site") == "cross-site" && request.origin == nil
        return isPermitted(request) && !isForeign
    }

    private static let originRefused = HTTPAnswer.error(
        status: 403, code: "originRefused",
        message: "pages of this web site may not use the device; add it to server.allowedOrigins")

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

extension ViewerIdentity {
    /// Who asks: the header `X-Visitor`, or for what cannot send headers the private parameter `_visitor`.
    init(_ request: HTTPRequest, _ query: RequestQuery?) {
        let text = request.head.headers.first(name: "X-Visitor") ?? query?["_visitor"] ?? ""
        self.init(UInt32(text).map(VisitorID.init) ?? .anonymous, requester: query?["requester"])
    }
}
