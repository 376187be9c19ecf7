import Access
import Configuration
import ControlProtocol
import Glibc
import Logging
import Media
import Signalling
import WebServer

/// Who may come in: the tokens in the state folder, tickets made with them, and the gate that looks at both.
final class AccessService: Sendable {
    let gate: AccessGate
    let tickets: TicketDesk
    let routes: AccessRoutes
    let entrance: Entrance
    private let tokens: TokenDesk
    private let isNew: Bool
    private let logger: Logger

    /// Reads the state folder.
    init(
        _ configuration: AgentConfiguration, device: DeviceIdentity, policy: CrossOriginPolicy, budget: ResourceBudget,
        entrance: Entrance,
        clock: any MediaClock, logger: Logger
    ) {
        let now: @Sendable () -> Int64 = { Int64(time(nil)) }
        let path = configuration.stateFolder + "/access"
        let memory = Self.remember(path, logger)
        let tokens = TokenDesk(memory, now: now) { Self.keep($0, at: path) }
        self.tokens = tokens
        isNew = memory == nil
        self.entrance = entrance
        self.logger = logger
        let own: Ticket.Signature = { MessageAuthenticationCode.make(of: $0, key: tokens.key) }
        let shared = configuration.peers.ticketKey.map { text -> Ticket.Signature in
            let key = Array(text.reveal().utf8)
            return { MessageAuthenticationCode.make(of: $0, key: key) }
        }
        let tickets = TicketDesk(
            device: device.id ?? device.name,
            store: TicketFile(path: configuration.stateFolder + "/peer-tickets", logger: logger), now: now,
            sign: shared ?? own, signURLs: own,
            isGood: { tokens.isGood(mark: $0) })
        self.tickets = tickets
        gate = AccessGate(
            strangers: configuration.isOpen ? .trusted : .refused, policy: policy, tokens: tokens, tickets: tickets,
            budget: budget, clock: clock, logger: logger)
        routes = AccessRoutes(tokens: tokens, tickets: tickets) { entrance.report }
    }

    // MARK: The state folder; blocks

    /// Nil where there is nothing, or nothing that can be relied on.
    private static func remember(_ path: String, _ logger: Logger) -> AccessMemory? {
        var problem = "it is not as it was written"
        do throws(StateFile.Failure) {
            guard let bytes = try StateFile.read(path, maximumBytes: AccessMemory.maximumBytes) else { return nil }
            if let memory = AccessMemory(text: String(decoding: bytes, as: UTF8.self)) { return memory }
        } catch {
            problem = "\(error)"
        }
        logger.error(
            "the tokens are damaged: none of them is good any more, and there are new ones",
            metadata: ["file": "\(path)", "error": "\(problem)", "hint": "edgectl access show"])
        return nil
    }

    private static func keep(_ memory: AccessMemory, at path: String) -> String? {
        do throws(StateFile.Failure) {
            try StateFile.replace(path, with: Array(memory.text.utf8))
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Before anybody can come in.
    func begin() {
        guard isNew else { return }
        if let reason = tokens.keepNow() {
            logger.error(
                "the tokens are lost with the next start: they cannot be kept", metadata: ["error": "\(reason)"])
        }
        logger.notice("there is a token for viewers and one for everything", metadata: ["hint": "edgectl access show"])
    }

    /// When tokens were used last is kept when the agent ends, and with each change.
    func end() {
        if let reason = tokens.keepNow() {
            logger.warning("when tokens were used is not kept", metadata: ["error": "\(reason)"])
        }
    }

    /// Says so where whoever reaches the device is let in.
    func listens(at port: Int?) {
        entrance.opened(port: port)
        guard gate.strangers == .trusted, !entrance.isLoopback else { return }
        logger.warning(
            "everybody who reaches this address may watch and command",
            metadata: ["address": "\(entrance.address)", "hint": "access.open: false asks for tokens"])
    }
}

extension AgentConfiguration {
    /// Whether nobody needs a secret who reaches `server.address`.
    var isOpen: Bool { access.open ?? Entrance.isLoopback(server.address) }

    /// What viewers that come over the broker may do without a ticket; nil where they need one. A loopback address
    /// keeps nobody away from there, so it must be said.
    var peersOfTheBroker: Grant? { access.open == true && peers.ticketKey == nil ? .everything : nil }

    /// Whether there is any way in that takes one.
    var areTicketsOfUse: Bool { peers.ticketKey != nil || !isOpen || (rendezvous != nil && peersOfTheBroker == nil) }
}
