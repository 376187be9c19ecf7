import Synchronization

/// The long-lived tokens: makes them, knows them again, and has every change kept.
package final class TokenDesk: Sendable {
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case badName
        case nameTaken(String)
        case unknownName(String)
        case tooMany
        case noRights
        case notKept(String)

        package var description: String {
            switch self {
            case .badName:
                "a token's name is 1 to \(AccessMemory.maximumNameBytes) letters, digits, hyphens, dots and underscores"
            case .nameTaken(let name): "there is a token \(name) already; remove it first"
            case .unknownName(let name): "there is no token \(name)"
            case .tooMany: "there are \(AccessMemory.maximumEntries) tokens already"
            case .noRights: "a token without rights is good for nothing"
            case .notKept(let reason): "it cannot be kept: \(reason)"
            }
        }
    }

    package typealias Keep = @Sendable (AccessMemory) -> String?

    package static let viewerName = "viewer"
    package static let adminName = "admin"

    private let memory: Mutex<AccessMemory>
    /// One change at a time; whoever only looks never waits for the disk.
    private let changing = Mutex(())
    private let keep: Keep
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - memory: what was kept; nil makes first tokens, and keeps them.
    ///   - now: seconds since 1970.
    ///   - keep: keeps it; blocks. Nil where it is kept, else why not.
    package init(_ memory: AccessMemory?, now: @escaping @Sendable () -> Int64, keep: @escaping Keep) {
        self.memory = Mutex(memory ?? Self.first(now()))
        self.now = now
        self.keep = keep
    }

    /// A key and two tokens, for one who watches and one who may do everything.
    package static func first(_ now: Int64) -> AccessMemory {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<SHA256.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var memory = AccessMemory(key: key)
        for (name, grant) in [(viewerName, Grant.watcher), (adminName, .administrator)] {
            let token = AccessToken.random()
            memory.entries.append(.init(name: name, digest: token.digest, grant: grant, made: now))
            memory.unseen.append(.init(name: name, token: token))
        }
        return memory
    }

    package var entries: [AccessMemory.Entry] { memory.withLock { $0.entries } }
    package var unseen: [AccessMemory.Unseen] { memory.withLock { $0.unseen } }
    /// What the device signs with; another one after a reset.
    package var key: [UInt8] { memory.withLock { $0.key } }

    /// The token that a text is; nil where it is none, or no longer. Looks at all of them, whichever it is.
    package func find(_ text: some StringProtocol) -> AccessMemory.Entry? {
        guard let digest = AccessToken(text)?.digest else { return nil }
        let time = now()
        return memory.withLock { memory in
            var found: Int?
            for (index, entry) in memory.entries.enumerated() where ConstantTime.areEqual(entry.digest, digest) {
                found = index
            }
            guard let found, memory.entries[found].isGood(at: time) else { return nil }
            memory.entries[found].lastUsed = time
            return memory.entries[found]
        }
    }

    /// Whether the token of this mark is still good, for what was made with it.
    package func isGood(mark: String) -> Bool {
        let time = now()
        return memory.withLock { $0.entries.contains { $0.mark == mark && $0.isGood(at: time) } }
    }

    /// Whether that is a token, only one whose time is over.
    package func hasExpired(_ text: some StringProtocol) -> Bool {
        guard let digest = AccessToken(text)?.digest else { return false }
        let time = now()
        return memory.withLock { memory in
            memory.entries.contains { ConstantTime.areEqual($0.digest, digest) && !$0.isGood(at: time) }
        }
    }

    // MARK: Changes; they block

    /// - Parameter seconds: how long it holds; nil for ever.
    package func add(_ name: String, _ grant: Grant, seconds: Int64?) throws(Refusal) -> AccessToken {
        guard AccessMemory.isName(name) else { throw .badName }
        guard !grant.rights.isEmpty else { throw .noRights }
        let token = AccessToken.random()
        let time = now()
        try change { memory throws(Refusal) in
            guard !memory.entries.contains(where: { $0.name == name }) else { throw .nameTaken(name) }
            guard memory.entries.count < AccessMemory.maximumEntries else { throw .tooMany }
            memory.entries.append(
                .init(
                    name: name, digest: token.digest, grant: grant, made: time,
                    expires: seconds.map { time.addingReportingOverflow($0).partialValue }))
        }
        return token
    }

    package func remove(_ name: String) throws(Refusal) {
        try change { memory throws(Refusal) in
            guard memory.entries.contains(where: { $0.name == name }) else { throw .unknownName(name) }
            memory.entries.removeAll { $0.name == name }
            memory.unseen.removeAll { $0.name == name }
        }
    }

    /// Every token, ticket and signed address becomes worthless; there are two new tokens.
    package func reset() throws(Refusal) -> [AccessMemory.Unseen] {
        let new = Self.first(now())
        var shown = new
        shown.unseen = []
        try change { memory in memory = shown }
        return new.unseen
    }

    /// The first tokens are forgotten once somebody has seen them.
    package func forgetUnseen() throws(Refusal) { try change { $0.unseen = [] } }

    private func change(_ body: (inout AccessMemory) throws(Refusal) -> Void) throws(Refusal) {
        try changing.withLock { _ throws(Refusal) in
            var changed = memory.withLock { $0 }
            try body(&changed)
            // What cannot be kept does not hold: a restart would undo it unseen.
            if let reason = keep(changed) { throw .notKept(reason) }
            memory.withLock { $0 = changed }
        }
    }

    /// Keeps what the desk began with, or when tokens were used. Nil where it is kept, else why not.
    package func keepNow() -> String? { changing.withLock { _ in keep(memory.withLock { $0 }) } }
}
