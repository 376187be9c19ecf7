import Access
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
    private let tickets: TicketDesk?
    private let commands: CommandTable
    private let feedback: FeedbackDesk
    private let footage: FootageAccess?
    private let handOffs: HandOffDesk?
    private let talk: TalkSlot?
    private let page: PageAssets

    /// - Parameters:
    ///   - footage: nil where nothing is ever recorded.
    ///   - talk: nil where nobody can talk.
    ///   - handOffs: nil where viewers for whom there is no place are sent nowhere.
    ///   - tickets: makes tickets for addresses; nil where there are none.
    package init(
        agent: any AgentView, registry: ViewerRegistry, policy: CrossOriginPolicy,
        tickets: TicketDesk? = nil, commands: CommandTable = CommandTable(), feedback: FeedbackDesk = FeedbackDesk(),
        footage: FootageAccess? = nil, handOffs: HandOffDesk? = nil, talk: TalkSlot? = nil,
        page: PageAssets = PageAssets()
    ) {
        self.agent = agent
        self.registry = registry
        self.policy = policy
        self.tickets = tickets
        self.commands = commands
        self.feedback = feedback
        self.footage = footage
        self.handOffs = handOffs
        self.talk = talk
        self.page = page
    }

    // MARK: What is asked for

    package func demand(of request: HTTPRequest) -> Demand? {
        if request.method == .OPTIONS { return Demand(.viewer(.preflight)) }
        switch request.path {
        case "/ipc.flv": return streamDemand(request)
        case "/command": return commandDemand(request)
        case "/voice": return Demand(.viewer(.talk), scope(try? RequestQuery(request.query)))
        case "/feedback": return Demand(.viewer(.feedback))
        case "/channels.json": return Demand(.viewer(.channels))
        case "/healthz": return Demand(.viewer(.health))
        case "/metrics": return Demand(.viewer(.metrics))
        case "/ticket": return Demand(.viewer(.ticket))
        default: return page[request.path] == nil ? nil : Demand(.viewer(.page))
        }
    }

    private func streamDemand(_ request: HTTPRequest) -> Demand {
        guard let query = try? RequestQuery(request.query), let action = StreamAction(query) else {
            return Demand(.viewer(.unknown))
        }
        return Demand(.stream(action), scope(query))
    }

    private func commandDemand(_ request: HTTPRequest) -> Demand {
        guard let command = Self.commandText(request).flatMap({ try? CommandText($0) }) else {
            return Demand(.viewer(.unknown))
        }
        switch command.action {
        case .inner:
            guard let name = InnerCommandName(command.query) else { return Demand(.viewer(.unknown)) }
            return Demand(.inner(name), scope(command.query))
        case .user(let payload):
            let topic = UserCommand(channel: 0, visitor: .anonymous, payload: payload).topic
            return Demand(.user(topic), topic.concernsDevice ? .device : scope(command.query))
        }
    }

    /// A channel that is no number names none, and nobody gets that who may have one only.
    private func scope(_ query: RequestQuery?) -> Scope {
        (try? query?.channel { _ in true }).map { .channel($0) } ?? .device
    }

    /// The command is the query, or the body of a POST; nil where it is neither.
    private static func commandText(_ request: HTTPRequest) -> String? {
        switch request.method {
        case .GET, .HEAD: String(request.query)
        case .POST: String(buffer: request.body)
        default: nil
        }
    }

    // MARK: What becomes of it

    package func route(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard let operation = demand(of: request)?.operation else { return .answer(.notFound(request.path)) }
        switch operation {
        case .viewer(.preflight): return .answer(policy.preflight(request))
        case .viewer(.talk): return voiceSocket(request)
        case .viewer(.ticket): return ticket(request, admission)
        case .inner, .user: return command(request, admission)
        case .viewer(.unknown) where request.path == "/command": return command(request, admission)
        case .viewer, .stream, .control: break
        }
        guard request.method == .GET || request.method == .HEAD else {
            return .answer(.methodNotAllowed([.GET, .HEAD, .OPTIONS]))
        }
        switch operation {
        case .stream, .viewer(.unknown): return stream(request)
        case .viewer(.feedback): return listen(request)
        case .viewer(.channels):
            let channels = agent.viewableChannels().filter { admission.grant.covers($0.id) }
            return .answer(.json(channels.map(ChannelListing.init)))
        case .viewer(.health): return .work { [agent] in await Self.health(agent) }
        case .viewer(.metrics): return .work { [agent, registry] in await Self.metrics(agent, registry) }
        case .viewer(.page): return .answer(page[request.path]?.answer(to: request) ?? .notFound(request.path))
        case .viewer(.preflight), .viewer(.talk), .viewer(.ticket), .viewer(.offer), .viewer(.link), .inner, .user,
            .control:
            return .answer(.notFound(request.path))
        }
    }

    package func voice(_ request: HTTPRequest, _ admission: Admission) -> VoiceStart? {
        request.path == "/voice" ? talk(request) : nil
    }

    private func voiceSocket(_ request: HTTPRequest) -> RouteOutcome {
        guard request.wantsWebSocket else { return .answer(.methodNotAllowed([.POST, .OPTIONS])) }
        let start = talk(request)
        if case .refused(let answer) = start { return .answer(answer) }
        return .voice(start)
    }

    private func talk(_ request: HTTPRequest) -> VoiceStart {
        guard let talk else { return .refused(.talkRefused(.noSpeaker)) }
        let channels = agent.viewableChannels()
        return VoiceRequest(
            slot: talk, hasChannel: { id in channels.contains { $0.id == id } },
            registry: registry, takesPlace: true
        ).start(request)
    }

    private func ticket(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard request.method == .POST else { return .answer(.methodNotAllowed([.POST, .OPTIONS])) }
        guard let tickets else { return .answer(.notFound(request.path)) }
        return .answer(.ticket(tickets, request, admission))
    }

    private func stream(_ request: HTTPRequest) -> RouteOutcome {
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
        let start = LiveStart(
            request: live, tracks: tracks, hub: hub, lesser: live.quality == .main ? channel?.hubs[.sub] : nil,
            viewer: viewer, whenFull: tracks == .all ? handOff(live) : nil)
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

    /// Elsewhere there may be a place.
    private func handOff(_ live: LiveRequest) -> (@Sendable () async -> HTTPAnswer)? {
        guard let handOffs else { return nil }
        let stream = HandOffDesk.Stream(channel: live.channel, name: live.quality.rawValue)
        return {
            guard let url = await handOffs.handOff(stream) else {
                var answer = HTTPAnswer.error(
                    status: 503, code: "handOffFailed",
                    message: "all places are taken, and the media service does not take the stream")
                answer.headers.append(("X-Hand-Off", "failed"))
                return answer
            }
            return .elsewhere(url)
        }
    }

    private func playback(
        _ playback: PlaybackRequest, tracks: TrackSelection, for viewer: ViewerIdentity, _ request: HTTPRequest
    ) throws(RequestRefusal) -> RouteOutcome {
        guard let footage else { throw .notFound("nothing is recorded here") }
        let isHead = request.method == .HEAD
        return .later { await footage.play(playback, tracks: tracks, for: viewer, onlyHead: isHead) }
    }

    private func command(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard let text = Self.commandText(request) else {
            return .answer(.methodNotAllowed([.GET, .HEAD, .POST, .OPTIONS]))
        }
        let command: CommandText
        do throws(RequestRefusal) { command = try CommandText(text) } catch {
            return .answer(.text(CommandReply.wrongRequest.text, type: "application/json"))
        }
        let viewer = registry.visitors.saw(ViewerIdentity(request, command.query))
        let channels = Set(agent.viewableChannels().map(\.id))
        if let reply = commands.answerAtOnce(
            command, from: viewer, grant: admission.grant, hasChannel: channels.contains)
        {
            return .answer(.text(reply.text, type: "application/json"))
        }
        return .work { [commands] in
            let reply = await commands.answer(
                command, from: viewer, grant: admission.grant, hasChannel: channels.contains)
            return .text(reply.text, type: "application/json")
        }
    }

    /// Messages from the device to this visitor.
    private func listen(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .GET else { return .answer(.methodNotAllowed([.GET])) }
        let viewer = ViewerIdentity(request, try? RequestQuery(request.query))
        return .feedback(FeedbackStart(viewer: viewer, desk: feedback, visitors: registry.visitors))
    }

    private static func metrics(_ agent: any AgentView, _ registry: ViewerRegistry) async -> HTTPAnswer {
        Metrics.answer(await agent.status(), viewers: await registry.reports(), totals: registry.totals)
    }

    /// For everybody, so what is wrong is for `edgectl status` and the journal to say.
    private static func health(_ agent: any AgentView) async -> HTTPAnswer {
        if await agent.illness() != nil {
            return .error(status: 503, code: "unhealthy", message: "the agent is not well; its journal says more")
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
    /// Who asks, where the transport does not know it: the header `X-Visitor`, or for what cannot send headers the
    /// private parameter `_visitor`.
    init(_ request: HTTPRequest, _ query: RequestQuery?) {
        let text = request.head.headers.first(name: "X-Visitor") ?? query?["_visitor"] ?? ""
        let visitor = request.visitor ?? UInt32(text).map { .named($0) } ?? .anonymous
        self.init(visitor, requester: query?["requester"])
    }
}
