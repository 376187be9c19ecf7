import Synchronization
import Testing
import WebServer

@Suite struct ResourceBudgetTests {
    /// What is used of 100, as a test wants it.
    private final class Uses: Sendable {
        private let values = Mutex<[ResourceBudget.Resource: Int]>([:])

        subscript(_ resource: ResourceBudget.Resource) -> Int? {
            get { values.withLock { $0[resource] } }
            set { values.withLock { $0[resource] = newValue } }
        }

        @Sendable func read(_ resource: ResourceBudget.Resource) -> ResourceBudget.Use? {
            self[resource].map { .init(used: $0, allowed: 100) }
        }
    }

    private let uses = Uses()
    private let clock = TestClock()
    private var budget: ResourceBudget { ResourceBudget(clock: clock, read: uses.read) }

    @Test func withoutLimitsEverybodyIsWelcome() {
        let budget = ResourceBudget()
        #expect(budget.shortage() == nil)
        #expect(budget.turnedAway == 0)
    }

    @Test func whoIsTurnedAwayWaitsUntilThereIsRoom() {
        let budget = budget
        uses[.files] = 90
        #expect(budget.shortage() == nil)
        uses[.files] = 91
        #expect(budget.shortage() == .files)
        uses[.files] = 86
        #expect(budget.shortage() == .files)
        uses[.files] = 85
        #expect(budget.shortage() == nil)
        uses[.files] = 90
        #expect(budget.shortage() == nil)
        #expect(budget.turnedAway == 2)
    }

    @Test func memoryIsReadOnceASecond() {
        let budget = budget
        uses[.memory] = 10
        #expect(budget.shortage() == nil)
        uses[.memory] = 99
        #expect(budget.shortage() == nil)
        clock.advance(1)
        #expect(budget.shortage() == .memory)
    }

    /// Also where only one of them is short; what cannot be known is no shortage.
    @Test func eachResourceIsJudgedForItself() {
        let budget = budget
        uses[.files] = 99
        uses[.memory] = 99
        #expect(budget.shortage() == .memory)
        uses[.memory] = nil
        clock.advance(1)
        #expect(budget.shortage() == .files)
        uses[.files] = nil
        #expect(budget.shortage() == nil)
    }
}
