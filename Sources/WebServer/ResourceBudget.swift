import Media
import Synchronization

/// Turns newcomers away while there is still memory and files for those who are there. From any thread.
package final class ResourceBudget: Sendable {
    package enum Resource: String, Sendable, Hashable, CaseIterable { case memory, files }

    package struct Use: Sendable, Hashable {
        package var used: Int
        package var allowed: Int

        package init(used: Int, allowed: Int) {
            self.used = used
            self.allowed = allowed
        }
    }

    fileprivate struct State {
        var short: Set<Resource> = []
        var memory: Use?
        var memoryReadAt: MediaTime?
    }

    /// Parts of what is allowed: from where on nobody is let in, and where that ends.
    package static let full = 0.9
    package static let roomy = 0.85
    /// Memory grows slowly, and to read how much it is takes a few files.
    static let memoryAge = MediaTime.seconds(1)

    private let state = Mutex(State())
    private let turnedAwayCount = Atomic(0)
    private let clock: any MediaClock
    private let read: @Sendable (Resource) -> Use?

    /// - Parameter read: what is used now; nil where nothing is limited, or nobody knows. Must not block.
    package init(
        clock: any MediaClock = SystemMediaClock(), read: @escaping @Sendable (Resource) -> Use? = { _ in nil }
    ) {
        self.clock = clock
        self.read = read
    }

    /// Since the start.
    package var turnedAway: Int { turnedAwayCount.load(ordering: .relaxed) }

    /// What there is too little of for somebody new, who is counted as turned away then; nil where there is room.
    package func shortage() -> Resource? {
        let now = clock.now()
        let files = read(.files)
        let short = state.withLock { state in
            if state.memoryReadAt.map({ now - $0 >= Self.memoryAge }) ?? true {
                state.memory = read(.memory)
                state.memoryReadAt = now
            }
            state.judge(.memory, state.memory)
            state.judge(.files, files)
            return Resource.allCases.first(where: state.short.contains)
        }
        if short != nil { turnedAwayCount.add(1, ordering: .relaxed) }
        return short
    }
}

extension ResourceBudget.State {
    /// Who was turned away is not let in and turned away by turns.
    fileprivate mutating func judge(_ resource: ResourceBudget.Resource, _ use: ResourceBudget.Use?) {
        let limit = short.contains(resource) ? ResourceBudget.roomy : ResourceBudget.full
        if let use, Double(use.used) > Double(use.allowed) * limit {
            short.insert(resource)
        } else {
            short.remove(resource)
        }
    }
}
