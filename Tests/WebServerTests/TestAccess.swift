import Access
import Logging
import Media
import Signalling
import Synchronization
import WebServer

/// Clocks of the wall and of the machine that stand still until they are moved.
final class TestClock: MediaClock {
    private let passed = Mutex<Int64>(0)

    /// Seconds since 1970.
    var wall: Int64 { 1_800_000_000 + passed.withLock { $0 } }
    func now() -> MediaTime { .seconds(1000 + passed.withLock { $0 }) }
    func advance(_ seconds: Int64) { passed.withLock { $0 += seconds } }
}

/// A gate with tokens of a test's own.
struct TestAccess {
    static let device = "camera-7"

    let clock = TestClock()
    let tokens: TokenDesk
    let tickets: TicketDesk
    let gate: AccessGate

    init(
        _ strangers: AccessGate.Strangers = .trusted, policy: CrossOriginPolicy = CrossOriginPolicy(origins: []),
        read: @escaping @Sendable (ResourceBudget.Resource) -> ResourceBudget.Use? = { _ in nil }
    ) {
        let clock = self.clock
        let tokens = TokenDesk(nil, now: { clock.wall }) { _ in nil }
        self.tokens = tokens
        tickets = TicketDesk(
            device: Self.device, now: { clock.wall },
            sign: { MessageAuthenticationCode.make(of: $0, key: tokens.key) }, isGood: { tokens.isGood(mark: $0) })
        gate = AccessGate(
            strangers: strangers, policy: policy, tokens: tokens, tickets: tickets,
            budget: ResourceBudget(clock: clock, read: read), clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// One of the first two.
    func token(_ name: String) -> String { tokens.unseen.first { $0.name == name }?.token.text ?? "" }
}
