import ControlProtocol
import NIOCore
import NIOHTTP1
import PeerToPeer
import Signalling
import Talkback

/// The control API, for the Unix socket, and in part for the broker.
package struct ControlRoutes: RequestRouter {
    private let agent: any AgentControl
    private let registry: ViewerRegistry
    private let recordings: RecordingRoutes?
    private let talk: TalkSlot?
    private let motion: MotionRoutes?
    private let feedback: FeedbackRoute
    private let peers: PeerGate?
    private let platforms: PlatformRoutes?
    private let access: AccessRoutes?
    private let doctor: DoctorRoutes?
    private let peerInfo: PeerInfoDesk?
    private let rendezvous: @Sendable () -> String?

    /// - Parameters:
    ///   - recordings: nil where nothing is ever recorded.
    ///   - talk: nil where nobody can talk.
    ///   - motion: nil where nothing ever turns.
    ///   - platforms: nil where there can be none.
    ///   - doctor: nil where nobody looks for faults.
    ///   - peers: nil where there are no peer-to-peer links.
    ///   - peerInfo: nil as `peers`.
    ///   - rendezvous: how the connection to the broker is; nil where there is none.
    package init(
        agent: any AgentControl, registry: ViewerRegistry, recordings: RecordingRoutes? = nil, talk: TalkSlot? = nil,
        motion: MotionRoutes? = nil, platforms: PlatformRoutes? = nil, doctor: DoctorRoutes? = nil,
        feedback: FeedbackDesk = FeedbackDesk(), peers: PeerGate? = nil, access: AccessRoutes? = nil,
        peerInfo: PeerInfoDesk? = nil,
        rendezvous: @escaping @Sendable () -> String? = { nil }
    ) {
        self.agent = agent
        self.registry = registry
        self.recordings = recordings
        self.peers = peers
        self.peerInfo = peerInfo
        self.motion = motion
        self.feedback = FeedbackRoute(desk: feedback, visitors: registry.visitors)
        self.talk = talk
        self.platforms = platforms
        self.access = access
        self.doctor = doctor
        self.rendezvous = rendezvous
    }

    /// `POST talk?rate=`, with the body of `POST /voice`.
    package func voice(_ request: HTTPRequest, _ admission: Admission) -> VoiceStart? {
        guard request.path == "/api/v1/talk" else { return nil }
        guard let talk else { return .refused(.talkRefused(.noSpeaker)) }
        return VoiceRequest(
            slot: talk, hasChannel: { _ in true }, registry: registry, takesPlace: false
        ).start(request)
    }

    /// What stands behind `/api/v1/`; nil where that is not the beginning.
    private static func resource(of request: HTTPRequest) -> ArraySlice<Substring>? {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.count >= 3, parts[0] == "api", parts[1] == "v1" else { return nil }
        return parts[2...]
    }

    package func demand(of request: HTTPRequest) -> Demand? {
        Self.resource(of: request).flatMap { ControlOperation(path: $0) }.map { Demand(.control($0)) }
    }

    package func route(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard let rest = Self.resource(of: request) else { return .answer(.notFound(request.path)) }
        if let outcome = recordings?.route(request, rest) ?? motion?.route(request, rest)
            ?? platforms?.route(request, rest) ?? doctor?.route(request, rest)
            ?? access?.route(request, rest, admission)
        {
            return outcome
        }
        switch (rest.first, rest.count) {
        case ("status", 1): return read(request) { [self] in .json(await status()) }
        case ("metrics", 1):
            return read(request) { [agent, registry] in
                Metrics.answer(await agent.status(), viewers: await registry.reports(), totals: registry.totals)
            }
        case ("channels", 1): return read(request) { [agent] in .json(await agent.status().channels) }
        case ("viewers", 1): return read(request) { [registry] in .json(await registry.reports()) }
        case ("peers", 1):
            return read(request) { [peers] in .json(await peers?.links.reports().map(PeerReport.init) ?? []) }
        case ("peers", 2) where rest.last == "tickets": return ticket(request)
        case ("peers", 2) where rest.last == "info":
            guard let peerInfo else { return .answer(.notFound(request.path)) }
            return read(request) { .json(peerInfo.current) }
        case ("channels", 3) where rest.last == "snapshot": return snapshot(request, channel: rest[rest.startIndex + 1])
        case ("channels", 3) where rest.last == "trace": return trace(request, channel: rest[rest.startIndex + 1])
        case ("pushes", 1): return pushes(request)
        case ("pushes", 2): return push(request, id: String(rest[rest.startIndex + 1]))
        case ("feedback", 1): return feedback.route(request)
        case ("talk", 1): return talk(request)
        case ("events", 1):
            guard request.method == .GET else { return .answer(.methodNotAllowed([.GET])) }
            return .events { [agent] in await agent.events() }
        default: return .answer(.notFound(request.path))
        }
    }

    private func read(_ request: HTTPRequest, _ work: @escaping @Sendable () async -> HTTPAnswer) -> RouteOutcome {
        request.method == .GET || request.method == .HEAD
            ? .work(work) : .answer(.methodNotAllowed([.GET, .HEAD]))
    }

    private func ticket(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .POST else { return .answer(.methodNotAllowed([.POST])) }
        guard let peers else { return .answer(.notFound(request.path)) }
        let order: TicketOrder
        do throws(ControlCodingError) {
            order =
                request.body.readableBytes == 0
                ? TicketOrder() : try ControlCoding.decode(TicketOrder.self, from: request.body.readableBytesView)
        } catch {
            return .answer(.error(status: 400, code: "badRequest", message: "the ticket order: \(error.message)"))
        }
        do throws(ControlError) { return .answer(.json(try peers.issue(order), status: 201)) } catch {
            return .answer(.error(error))
        }
    }

    /// POST has its own way; `DELETE talk` hangs up.
    private func talk(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .DELETE else { return .answer(.methodNotAllowed([.POST, .DELETE])) }
        guard let report = talk?.current else {
            return .answer(.error(.notFound("nobody is talking")))
        }
        talk?.hangUp()
        return .answer(.json(TalkbackReport.Talk(report)))
    }

    private func status() async -> StatusReport {
        var status = await agent.status()
        status.viewers = await registry.reports()
        status.viewerLimit = registry.totals.limit
        status.rendezvous = rendezvous()
        status.entrance = access?.entrance()
        return status
    }

    private func pushes(_ request: HTTPRequest) -> RouteOutcome {
        switch request.method {
        case .GET, .HEAD: return .work { [agent] in .json(await agent.pushes()) }
        case .POST:
            let order: PushOpenRequest
            do throws(ControlCodingError) {
                order =
                    request.body.readableBytes == 0
                    ? PushOpenRequest()
                    : try ControlCoding.decode(PushOpenRequest.self, from: request.body.readableBytesView)
            } catch {
                return .answer(.error(status: 400, code: "badRequest", message: "the push order: \(error.message)"))
            }
            return .answering { [agent] () async throws(ControlError) in
                let (push, isNew) = try await agent.openPush(order)
                return .json(push, status: isNew ? 201 : 200)
            }
        default: return .answer(.methodNotAllowed([.GET, .HEAD, .POST]))
        }
    }

    private func push(_ request: HTTPRequest, id: String) -> RouteOutcome {
        switch request.method {
        case .GET, .HEAD:
            .answering { [agent] () async throws(ControlError) in .json(try await agent.push(id: id)) }
        case .DELETE:
            .answering { [agent] () async throws(ControlError) in .json(try await agent.closePush(id: id)) }
        default: .answer(.methodNotAllowed([.GET, .HEAD, .DELETE]))
        }
    }

    private func snapshot(_ request: HTTPRequest, channel: Substring) -> RouteOutcome {
        ofStream(request, channel: channel) { [agent] channel, stream async throws(ControlError) in
            let picture = try await agent.snapshot(channel: channel, stream: stream)
            return HTTPAnswer(
                status: 200, headers: [("Content-Type", "image/jpeg"), ("Cache-Control", "no-store")],
                body: ByteBuffer(bytes: picture))
        }
    }

    private func trace(_ request: HTTPRequest, channel: Substring) -> RouteOutcome {
        ofStream(request, channel: channel) { [agent] channel, stream async throws(ControlError) in
            .json(try await agent.trace(channel: channel, stream: stream))
        }
    }

    /// `GET channels/ID/…?stream=`; the main stream where none is named.
    private func ofStream(
        _ request: HTTPRequest, channel: Substring,
        _ body: @escaping @Sendable (Int, CodeStream) async throws(ControlError) -> HTTPAnswer
    ) -> RouteOutcome {
        guard request.method == .GET || request.method == .HEAD else {
            return .answer(.methodNotAllowed([.GET, .HEAD]))
        }
        guard let channel = Int(channel) else { return .answer(.notFound(request.path)) }
        let name: String?
        do throws(RequestRefusal) { name = try RequestQuery(request.query)["stream"] } catch {
            return .answer(.refusal(error))
        }
        guard let stream = CodeStream(rawValue: name.flatMap { $0.isEmpty ? nil : $0 } ?? "main") else {
            return .answer(.error(status: 400, code: "badRequest", message: "stream is main or sub"))
        }
        return .answering { () async throws(ControlError) in try await body(channel, stream) }
    }
}
