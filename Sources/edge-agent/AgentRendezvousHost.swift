import Access
import ControlProtocol
import NIOCore
import NIOHTTP1
import PeerToPeer
import Rendezvous
import Signalling
import WebServer

/// What the rendezvous may ask of the agent: links for viewers, and a part of the control API.
struct AgentRendezvousHost: RendezvousHost {
    let gate: PeerGate
    /// What viewers may do without a ticket; nil where they need one.
    let withoutTicket: Grant?
    let router: GuardedRouter
    let control: any AgentControl
    let peerInfo: PeerInfoDesk

    func presence() async -> JSONValue {
        let status = await control.status()
        return [
            "online": .bool(true), "version": .text(status.version), "name": .text(status.device.name),
            "channels": .list(status.channels.map { .number(Int64($0.channel)) }),
            "needsTicket": .bool(withoutTicket == nil),
        ]
    }

    func info() async -> String { String(decoding: ControlCoding.encode(await peerInfo.renew()), as: UTF8.self) }

    func answer(_ offer: String, ticket: String?) async throws(PeerRefusal) -> (token: String, answer: String) {
        try await gate.answer(offer, ticket: ticket, holder: withoutTicket)
    }

    func take(_ fragment: CandidateFragment, for link: String) async {
        // A link that is gone needs none.
        try? await gate.links.take(fragment, for: link)
    }

    func command(
        _ method: RendezvousRequest.Method, _ path: String, body: String
    ) async -> (status: Int, body: String) {
        let answer: HTTPAnswer = await (Self.isAllowed(method, path) ? carryOut(method, path, body) : .notFound(path))
        return (answer.status, String(buffer: answer.body))
    }

    private func carryOut(_ method: RendezvousRequest.Method, _ path: String, _ body: String) async -> HTTPAnswer {
        let head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: path)
        switch router.route(HTTPRequest(head: head, body: ByteBuffer(string: body), caller: .broker)) {
        case .answer(let answer): return answer
        case .work(let work): return await work()
        default: return .notFound(path)
        }
    }

    /// What is JSON, and what a fleet needs: states, pushes, tickets.
    private static func isAllowed(_ method: RendezvousRequest.Method, _ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard parts.starts(with: ["api", "v1"]) else { return false }
        let rest = Array(parts.dropFirst(2))
        switch (method, rest.first, rest.count) {
        case (.get, "status", 1), (.get, "channels", 1), (.get, "viewers", 1), (.get, "peers", 1): return true
        case (.get, "pushes", 1...2), (.post, "pushes", 1), (.delete, "pushes", 2): return true
        case (.post, "peers", 2): return rest[1] == "tickets"
        default: return false
        }
    }

    func events() async -> AsyncStream<String> {
        let events = await control.events()
        return AsyncStream(bufferingPolicy: .bufferingNewest(256)) { continuation in
            let task = Task {
                for await event in events {
                    continuation.yield(String(decoding: ControlCoding.encode(event), as: UTF8.self))
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
