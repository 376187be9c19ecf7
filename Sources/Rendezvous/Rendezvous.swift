import Logging
import PeerToPeer
import Signalling
import Streaming
import Synchronization

/// Keeps the device reachable through a broker: brings offers to it and answers back, carries commands of a fleet's
/// service, and tells what happens.
package final class Rendezvous: Sendable {
    private let topics: RendezvousTopics
    private let logger: Logger
    private let broker: BrokerConnection
    private let underWay = Mutex(0)
    private let telling = Mutex<Task<Void, Never>?>(nil)
    private let renewing = Mutex<Task<Void, Never>?>(nil)
    /// Between two publications of what a viewer needs; nil where nothing of it ends.
    private let renewalSeconds: Int?

    /// Requests that are worked at; more are refused.
    package static let maximumRequests = 32

    /// - Parameter device: its id, of which its topics are made.
    package init(_ settings: RendezvousSettings, device: String, logger: Logger) {
        topics = RendezvousTopics(prefix: settings.topic, device: device)
        self.logger = logger
        renewalSeconds = settings.infoRights.isEmpty ? nil : max(1, settings.infoSeconds / 2)
        broker = BrokerConnection(
            settings, name: device, subscriptions: [topics.offers, topics.candidates, topics.commands],
            lastWords: (topics.presence, Self.absence), logger: logger)
    }

    private static let absence = JSONValue.object([.init(key: "online", value: .bool(false))]).text

    package var state: BrokerState { broker.state }

    package func start(_ host: any RendezvousHost) {
        broker.start(
            onConnect: { [weak self] in self?.connected(host) },
            onMessage: { [weak self] topic, payload in self?.take(topic, payload, host) })
        telling.withLock { telling in
            telling = Task { [weak self] in
                for await event in await host.events() {
                    guard let self else { return }
                    broker.publish(event, to: topics.events)
                }
            }
        }
        guard let renewalSeconds else { return }
        renewing.withLock { renewing in
            renewing = Task { [broker, topics] in
                while (try? await Task.sleep(for: .seconds(renewalSeconds))) != nil {
                    await Self.publishInfo(host, to: broker, topics)
                }
            }
        }
    }

    /// Says goodbye. Blocks for a moment.
    package func stop() {
        telling.withLock { $0?.cancel() }
        renewing.withLock { $0?.cancel() }
        // Nothing is retained of what connects to a device that is gone.
        broker.publish("", to: topics.info, isRetained: true)
        broker.publish(Self.absence, to: topics.presence, isRetained: true)
        broker.stop()
    }

    // MARK: On the broker's thread

    private func connected(_ host: any RendezvousHost) {
        Task { [broker, topics] in
            broker.publish(await host.presence().text, to: topics.presence, isRetained: true)
            await Self.publishInfo(host, to: broker, topics)
        }
    }

    private static func publishInfo(
        _ host: any RendezvousHost, to broker: BrokerConnection, _ topics: RendezvousTopics
    ) async {
        guard broker.state == .connected else { return }
        broker.publish(await host.info(), to: topics.info, isRetained: true)
    }

    private func take(_ topic: String, _ payload: [UInt8], _ host: any RendezvousHost) {
        let kind: RendezvousRequest.Kind
        switch topic {
        case topics.offers: kind = .offers
        case topics.candidates: kind = .candidates
        case topics.commands: kind = .commands
        default: return
        }
        let request: RendezvousRequest
        do throws(RendezvousRequest.Problem) { request = try RendezvousRequest(kind, payload) } catch {
            logger.debug("a message over the broker is refused", metadata: ["detail": "\(error.message)"])
            guard let id = error.id else { return }
            return refuse(id, kind, status: 400, code: "badRequest", error.message)
        }
        begin(request, kind, host)
    }

    private func begin(_ request: RendezvousRequest, _ kind: RendezvousRequest.Kind, _ host: any RendezvousHost) {
        let isTaken = underWay.withLock { count in
            guard count < Self.maximumRequests else { return false }
            count += 1
            return true
        }
        guard isTaken else {
            guard let id = request.id else { return }
            return refuse(id, kind, status: 503, code: "busy", "\(Self.maximumRequests) requests are under way")
        }
        Task {
            await carryOut(request, host)
            underWay.withLock { $0 -= 1 }
        }
    }

    // MARK: On a task

    private func carryOut(_ request: RendezvousRequest, _ host: any RendezvousHost) async {
        switch request {
        case .candidates(let fragment, let link): await host.take(fragment, for: link)
        case .command(let id, let method, let path, let body):
            let (status, answer) = await host.command(method, path, body: body)
            // The answer is JSON already.
            let head = JSONValue.object([.init(key: "id", value: .text(id))]).text.dropLast()
            broker.publish(
                "\(head),\"status\":\(status),\"body\":\(answer.isEmpty ? "null" : answer)}", to: topics.reply(id))
        case .offer(let id, let sdp, let ticket):
            do throws(PeerRefusal) {
                let (link, answer) = try await host.answer(sdp, ticket: ticket)
                let message: JSONValue = ["id": .text(id), "link": .text(link), "sdp": .text(answer)]
                broker.publish(message.text, to: topics.answer(id))
            } catch {
                refuse(id, .offers, status: error.status, code: error.code, error.message)
            }
        }
    }

    private func refuse(
        _ id: String, _ kind: RendezvousRequest.Kind, status: Int, code: String, _ message: String
    ) {
        let error: JSONValue = ["code": .text(code), "message": .text(message)]
        let answer: JSONValue = ["id": .text(id), "status": .number(Int64(status)), "error": error]
        broker.publish(answer.text, to: kind == .offers ? topics.answer(id) : topics.reply(id))
    }
}

extension RendezvousRequest {
    fileprivate var id: String? {
        switch self {
        case .offer(let id, _, _), .command(let id, _, _, _): id
        case .candidates: nil
        }
    }
}
