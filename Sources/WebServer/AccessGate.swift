import Access
import Logging
import Media
import Signalling
import Synchronization

/// What a request was found to be allowed. Only the gate makes one, and no router serves without.
package struct Admission: Sendable, Hashable {
    package let grant: Grant
    /// Of the token that was shown, or that the ticket was made with: `AccessMemory.Entry.mark`.
    package let holder: String?
    /// When the ticket that was shown ends, in seconds since 1970; nil where it was none.
    package let end: Int64?

    fileprivate init(_ grant: Grant, holder: String? = nil, end: Int64? = nil) {
        self.grant = grant
        self.holder = holder
        self.end = end
    }
}

/// What a request asks for, and what of.
package struct Demand: Sendable, Hashable {
    package let operation: Operation
    package let scope: Scope

    package init(_ operation: Operation, _ scope: Scope = .any) {
        self.operation = operation
        self.scope = scope
    }
}

/// The one place where it is decided who may do what.
package final class AccessGate: Sendable {
    /// Who comes over the network without a secret.
    package enum Strangers: Sendable, Hashable {
        /// May do what viewers can be given: who reaches the device is trusted.
        case trusted
        case refused
    }

    package let strangers: Strangers
    private let policy: CrossOriginPolicy
    private let tokens: TokenDesk
    private let tickets: TicketDesk
    private let clock: any MediaClock
    private let budget: ResourceBudget
    private let guesses = Mutex(GuessGuard())
    private let refusals: RefusalLog

    /// What those may do who are trusted without a secret.
    private static let open = Grant(rights: Right.ofViewers.union([.metrics]))

    package init(
        strangers: Strangers, policy: CrossOriginPolicy, tokens: TokenDesk, tickets: TicketDesk,
        budget: ResourceBudget = ResourceBudget(), clock: any MediaClock, logger: Logger
    ) {
        self.strangers = strangers
        self.policy = policy
        self.tokens = tokens
        self.tickets = tickets
        self.budget = budget
        self.clock = clock
        refusals = RefusalLog(logger)
    }

    package func admit(_ request: HTTPRequest, _ demand: Demand) throws(AccessRefusal) -> Admission {
        let admission: Admission
        switch request.caller {
        // The socket's mode says who that is, and the broker's rules; what of the control API it reaches, its host.
        case .owner, .broker: admission = Admission(.administrator)
        case .peer(let grant): admission = Admission(grant)
        case .network(let address): admission = try stranger(request, at: address, demand)
        }
        guard admission.grant.allows(demand.operation.requirement, demand.scope) else { throw .notAllowed }
        if demand.operation.isLasting, request.caller != .owner, let resource = budget.shortage() {
            refusals.note("newcomers are turned away", cause: "the agent is short of \(resource)")
            throw .short(resource)
        }
        return admission
    }

    /// A wrong ticket came from there, which another looked at.
    package func noteGuess(from caller: Caller) {
        guard case .network(let address) = caller, strangers == .refused else { return }
        guesses.withLock { $0.failed(address, at: clock.now()) }
    }

    private func stranger(
        _ request: HTTPRequest, at address: GuessGuard.Address, _ demand: Demand
    ) throws(AccessRefusal) -> Admission {
        if !demand.operation.isForAnyOrigin, !policy.permits(origin: request.origin, host: request.host) {
            throw .origin
        }
        guard demand.operation.requirement != .nothing else { return Admission(.nothing) }
        switch strangers {
        case .trusted:
            // Whoever gets a browser here to ask has no secret to know, so it must be this device's own page.
            guard policy.isOwnName(request.host) else { throw .host }
            guard request.origin != nil || !request.isFromOtherSite || policy.allowsAll else { throw .origin }
            return Admission(Self.open)
        case .refused:
            guard let credential = Credential(request) else {
                throw .missing
            }
            return try holder(of: credential, at: address, demand)
        }
    }

    private func holder(
        of credential: Credential, at address: GuessGuard.Address, _ demand: Demand
    ) throws(AccessRefusal) -> Admission {
        let now = clock.now()
        // A good one as well: else a guesser would be told by being let in.
        if let pause = guesses.withLock({ $0.pause(of: address, at: now) }) { throw .locked(pause) }
        if credential.isTicket {
            // A link's ticket is looked at together with the offer that brings it.
            if demand.operation == .viewer(.offer) { return Admission(.nothing) }
            do throws(TicketRefusal) {
                let ticket = try tickets.admit(credential.text)
                return Admission(ticket.grant, holder: ticket.holder, end: ticket.expires)
            } catch {
                refusals.note("a ticket was refused", cause: error.rawValue, from: address.description)
                if error.isGuess { guesses.withLock { $0.failed(address, at: now) } }
                throw .invalid
            }
        }
        guard credential.place == .field else { throw .tokenInAddress }
        guard let entry = tokens.find(credential.text) else {
            refusals.note("a token was refused", cause: "it is none of this device", from: address.description)
            guesses.withLock { $0.failed(address, at: now) }
            throw .invalid
        }
        return Admission(entry.grant, holder: entry.mark)
    }
}
