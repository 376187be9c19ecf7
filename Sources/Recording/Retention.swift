/// Makes room for what is to come: by channel, by age and for the whole disk; the oldest goes first, protected footage
/// stays. Deletes in small steps, so that it never holds up what is being written.
struct Retention {
    /// Segments deleted in one step.
    static let stepLength = 8
    /// A disk keeps at least so many bytes free, however small it is.
    static let minimumReserve: Int64 = 8 << 20

    var limits: [Int: RetentionLimits] = [:]
    var freePerMille = 50

    /// What there is to do, or why nothing can be done.
    enum Verdict: Equatable {
        case enough
        case delete([Segment])
        /// Day folders that no row knows must be looked through first: what is older may lie there.
        case scanFirst
        /// These channels' shares are full of what may not be deleted.
        case channelsFull(Set<Int>)
        /// The disk is.
        case diskFull
    }

    /// Bytes to keep free.
    func reserve(of space: DiskSpace) -> Int64 {
        max(space.total / 1000 * Int64(freePerMille), Self.minimumReserve)
    }

    /// Whether so little is free that nothing more is to be written. A disk that was full must have some room before it
    /// counts as not full, so that it is not one and the other in turn.
    func isFull(_ space: DiskSpace, wasFull: Bool) -> Bool {
        // What is left of the reserve is there to end in good order.
        space.available < reserve(of: space) / (wasFull ? 2 : 4)
    }

    /// - Parameters:
    ///   - wasFull: whether nothing is written, since the disk is full.
    ///   - now: milliseconds since 1970, UTC; nil where the clock is not to be believed, so that a wrong year does not
    ///     empty the disk.
    ///   - pending: bytes that will be free by themselves.
    func judge(
        _ archive: RecordingArchive, space: DiskSpace, wasFull: Bool, pending: Int64, now: Int64?
    ) throws(StorageFailure) -> Verdict {
        var full: Set<Int> = []
        for (channel, limit) in limits.sorted(by: { $0.key < $1.key }) {
            let held = (archive.totals[channel]?.bytes ?? 0) + archive.growingBytes(channel: channel)
            if let bytes = limit.bytes, held > bytes {
                let candidates = try oldest(of: channel, archive)
                let victims = Self.prefix(of: candidates, freeing: held - bytes)
                if !victims.isEmpty { return try afterScan(victims, archive) }
                full.insert(channel)
            }
            if let age = limit.age, let now {
                let victims = try oldest(of: channel, archive).prefix { $0.end < now - age }
                if !victims.isEmpty { return .delete(Array(victims)) }
            }
        }
        let missing = reserve(of: space) - space.available - pending
        if missing > 0 {
            var candidates: [Segment] = []
            for channel in archive.totals.keys { candidates += try oldest(of: channel, archive) }
            candidates.sort { ($0.start, $0.id) < ($1.start, $1.id) }
            let victims = Self.prefix(of: candidates, freeing: missing)
            if !victims.isEmpty { return try afterScan(victims, archive) }
            if try archive.hasUnscannedFolder { return .scanFirst }
            if isFull(space, wasFull: wasFull) { return .diskFull }
        }
        return full.isEmpty ? .enough : .channelsFull(full)
    }

    private func oldest(of channel: Int, _ archive: RecordingArchive) throws(StorageFailure) -> [Segment] {
        try archive.onIndex { index throws(SQLiteError) in
            try index.database.deletable(channel: channel, limit: Self.stepLength)
        }
    }

    /// No more than are needed.
    private static func prefix(of segments: [Segment], freeing bytes: Int64) -> [Segment] {
        var left = bytes
        return Array(
            segments.prefix(stepLength).prefix { segment in
                defer { left -= segment.size }
                return left > 0
            })
    }

    private func afterScan(_ victims: [Segment], _ archive: RecordingArchive) throws(StorageFailure) -> Verdict {
        try archive.hasUnscannedFolder ? .scanFirst : .delete(victims)
    }
}
