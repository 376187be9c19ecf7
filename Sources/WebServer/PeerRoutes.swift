import NIOCore
import NIOHTTP1
import PeerToPeer

/// Where viewers on the same network, or whoever speaks for them, bring their offers: `POST /p2p` takes an offer and
/// answers with 201, an answer and the link's own path; PATCH there takes candidates that come later, DELETE ends it
/// (the manners of WHEP). A ticket stands in `Authorization: Bearer`. All else goes on to the next router.
package struct PeerRoutes: RequestRouter {
    private let gate: PeerGate
    private let policy: CrossOriginPolicy
    private let next: any RequestRouter

    private static let path = "/p2p"
    private static let descriptionType = "application/sdp"
    private static let candidateType = "application/trickle-ice-sdpfrag"

    package init(gate: PeerGate, policy: CrossOriginPolicy, next: any RequestRouter) {
        self.gate = gate
        self.policy = policy
        self.next = next
    }

    package func route(_ request: HTTPRequest) -> RouteOutcome {
        guard request.path == Self.path || request.path.hasPrefix(Self.path + "/"), request.method != .OPTIONS else {
            return next.route(request)
        }
        guard policy.permits(origin: request.origin, host: request.host) else {
            return .answer(
                .error(
                    status: 403, code: "originRefused",
                    message: "pages of this web site may not use the device; add it to server.allowedOrigins"))
        }
        if request.path == Self.path { return offer(request) }
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

    package func voice(_ request: HTTPRequest) -> VoiceStart? { next.voice(request) }

    private func offer(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .POST else { return .answer(.methodNotAllowed([.POST, .OPTIONS])) }
        guard request.hasContentType(Self.descriptionType) else { return .answer(Self.wrongType(Self.descriptionType)) }
        let offer = String(buffer: request.body)
        let ticket = request.bearer
        return answering { [gate] () throws(PeerRefusal) in
            let (token, answer) = try await gate.answer(offer, ticket: ticket)
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
    /// What stands behind `Authorization: Bearer` (RFC 6750).
    fileprivate var bearer: String? {
        let words = (head.headers.first(name: "Authorization") ?? "").split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    fileprivate func hasContentType(_ type: String) -> Bool {
        let said = head.headers.first(name: "Content-Type") ?? ""
        return said.prefix { $0 != ";" && $0 != " " }.lowercased() == type
    }
}
