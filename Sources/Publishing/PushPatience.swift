import Media

/// How long a push goes on trying.
package enum PushPatience: Sendable, Hashable {
    /// Its first failure is its end, unless it has published before.
    case once
    case endless
    /// As a platform expects that has commanded it and will command it again: some attempts within ten seconds, and
    /// one more where the network cut what was publishing; what the service closed stays closed.
    /// - mayReturn: false while it publishes for the second time, and not yet for long.
    case brief(attemptsLeft: Int, mayReturn: Bool = true)

    package static let platform = PushPatience.brief(attemptsLeft: 2)
    private static let pause = MediaTime.seconds(1)
    /// What published for so long may return once more.
    private static let lasting = MediaTime.seconds(60)

    mutating func published() {
        switch self {
        case .once: self = .endless
        case .endless: break
        case .brief(_, let mayReturn): self = .brief(attemptsLeft: mayReturn ? 1 : 0, mayReturn: false)
        }
    }

    mutating func wasPublishing(for span: MediaTime) {
        if case .brief = self, span >= Self.lasting { self = .brief(attemptsLeft: 1, mayReturn: false) }
    }

    /// Before the next attempt; nil for none.
    mutating func pause(after failure: LinkFailure, next: () -> MediaTime) -> MediaTime? {
        switch self {
        case .once: return nil
        case .endless: return next()
        case .brief(let left, let mayReturn):
            guard left > 0, failure.cause.code == .unreachable || failure.cause.code == .networkLost else { return nil }
            self = .brief(attemptsLeft: left - 1, mayReturn: mayReturn)
            return Self.pause
        }
    }
}
