import NIOCore
import NIOHTTP1
import PeerToPeer

/// Where viewers on the same network, or whoever speaks for them, bring their offers: `POST /p2p` takes an offer and
/// answers with 201, an answer and the link's own path; PATCH there takes candidates that come later, DELETE ends it
/// (the manners of WHEP). A token or a ticket stands in `Authorization: Bearer`. All else goes on to the next router.
package struct PeerRoutes: RequestRouter {
    private let gate: PeerGate
    private let access: AccessGate
    private let next: any RequestRouter

    private static let path = "/p2p"
    private static let descriptionType = "application/sdp"
    private static let candidateType = "application/trickle-ice-sdpfrag"

    package init(gate: PeerGate, access: AccessGate, next: any RequestRouter) {
        self.gate = gate
        self.access = access
        self.next = next
    }

    package func demand(of request: HTTPRequest) -> Demand? {
        if request.method == .OPTIONS { return next.demand(of: request) }
        if request.path == Self.path { return Demand(.viewer(.offer)) }
        if request.path.hasPrefix(Self.path + "/") { return Demand(.viewer(.link)) }
        return next.demand(of: request)
    }

    package func route(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        switch demand(of: request)?.operation {
        case .viewer(.offer): offer(request, admission)
        case .viewer(.link): link(request)
        default: next.route(request, admission)
        }
    }

    private func link(_ request: HTTPRequest) -> RouteOutcome {
        let token = String(request.path.dropFirst(Self.path.count + 1))
        switch request.method {
        case .PATCH: return candidates(request, token)
        case .DELETE:
            return answering { [gate] () throws(PeerRefusal) in
                try await gate.links.end(token)
                return HTTPAnswer(status: 200)
            }
        default: return .answer(.methodNotAllowed([.PATCH, .DELETE, .OPTIONS]))
        }
    }

    package func voice(_ request: HTTPRequest, _ admission: Admission) -> VoiceStart? {
        next.voice(request, admission)
    }

    private func offer(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard request.method == .POST else { return .answer(.methodNotAllowed([.POST, .OPTIONS])) }
        guard request.hasContentType(Self.descriptionType) else { return .answer(Self.wrongType(Self.descriptionType)) }
        let offer = String(buffer: request.body)
        let (ticket, caller) = (Credential.bearer(request.head.headers), request.caller)
        let isTrusted = admission.holder != nil || !gate.alwaysWantsTickets
        let holder = isTrusted && admission.grant != .nothing ? admission.grant : nil
        return answering { [gate, access] () throws(PeerRefusal) in
            let (token, answer): (String, String)
            do throws(PeerRefusal) {
                (token, answer) = try await gate.answer(offer, ticket: ticket, holder: holder)
            } catch {
                if error.kind == .notAllowed, ticket != nil { access.noteGuess(from: caller) }
                throw error
            }
            return HTTPAnswer(
                status: 201,
                headers: [
                    ("Content-Type", Self.descriptionType), ("Location", "\(Self.path)/\(token)"),
                    ("Accept-Patch", Self.candidateType), ("Cache-Control", "no-store"),
                ], body: ByteBuffer(string: answer))
        }
    }

    private func candidates(_ request: HTTPRequest, _ token: String) -> RouteOutcome {
        guard request.hasContentType(Self.candidateType) else { return .answer(Self.wrongType(Self.candidateType)) }
        guard let fragment = CandidateFragment(String(buffer: request.body)) else {
            return .answer(.error(status: 400, code: "badRequest", message: "the candidates cannot be read"))
        }
        return answering { [gate] () throws(PeerRefusal) in
            try await gate.links.take(fragment, for: token)
            return HTTPAnswer(status: 204)
        }
    }

    private func answering(
        _ work: @escaping @Sendable () async throws(PeerRefusal) -> HTTPAnswer
    ) -> RouteOutcome {
        .work {
            do throws(PeerRefusal) { return try await work() } catch { return .refusal(error) }
        }
    }

    private static func wrongType(_ type: String) -> HTTPAnswer {
        .error(status: 415, code: "wrongType", message: "the body must be of type \(type)")
    }
}

extension HTTPAnswer {
    fileprivate static func refusal(_ refusal: PeerRefusal) -> HTTPAnswer {
        var answer = error(status: refusal.status, code: refusal.code, message: refusal.message)
        if refusal.kind == .notAllowed { answer.headers.append(("WWW-Authenticate", "Bearer")) }
        return answer
    }
}

extension HTTPRequest {
    fileprivate func hasContentType(_ type: String) -> Bool {
        let said = head.headers.first(name: "Content-Type") ?? ""
        return said.prefix { $0 != ";" && $0 != " " }.lowercased() == type
    }
}
