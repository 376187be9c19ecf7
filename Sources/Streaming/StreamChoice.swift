import Media

/// Decides which of a channel's streams a viewer's path can carry: down as soon as it falls behind, up again after a
/// while of calm, which grows with each attempt that failed.
package struct StreamChoice: Sendable {
    /// Frames that wait for longer mean that the path is too slow.
    package static let late = MediaTime.milliseconds(250)
    /// After a change nothing is concluded for so long: a key frame takes its time.
    package static let settling = MediaTime.milliseconds(1500)
    /// Calm that a better stream is tried after, at first and at most.
    package static let firstPatience = MediaTime.seconds(10)
    package static let lastPatience = MediaTime.seconds(160)
    /// A better stream that was carried for so long is carried.
    package static let proof = MediaTime.seconds(20)

    /// 0 is the best stream.
    package private(set) var level: Int
    private let levels: Int
    private var patience = firstPatience
    private var changedAt: MediaTime
    private var calmSince: MediaTime?
    private var isOnTrial = false

    package init(levels: Int, now: MediaTime) {
        self.levels = levels
        level = 0
        changedAt = now
    }

    /// To be asked some times a second.
    ///
    /// - Parameters:
    ///   - backlog: how much media time waits for the path.
    ///   - hasDropped: since the last time.
    /// - Returns: where to change to; nil to stay.
    package mutating func review(now: MediaTime, backlog: MediaTime, hasDropped: Bool) -> Int? {
        if isOnTrial, now - changedAt >= Self.proof {
            isOnTrial = false
            patience = Self.firstPatience
        }
        guard backlog <= Self.late, !hasDropped else {
            calmSince = nil
            guard level + 1 < levels, now - changedAt >= Self.settling || hasDropped else { return nil }
            if isOnTrial { patience = min(patience * 2, Self.lastPatience) }
            return change(to: level + 1, now: now, isTrial: false)
        }
        let since = calmSince ?? now
        calmSince = since
        guard level > 0, now - since >= patience, now - changedAt >= patience else { return nil }
        return change(to: level - 1, now: now, isTrial: true)
    }

    private mutating func change(to level: Int, now: MediaTime, isTrial: Bool) -> Int {
        self.level = level
        changedAt = now
        calmSince = nil
        isOnTrial = isTrial
        return level
    }
}
