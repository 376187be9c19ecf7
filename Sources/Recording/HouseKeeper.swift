import Containers
import Media

/// What is done for the archive besides recording, a little at each tick: making room, finding what a lost index has
/// forgotten, and looking now and then whether the disk keeps what it was given.
struct HouseKeeper {
    /// What one tick did.
    struct Outcome {
        var space: DiskSpace?
        var deleted = 0
        var unscannedFolders = 0
        var readBack: ReadBack.Result?
    }

    var retention = Retention()
    /// Channels whose shares are full of protected footage.
    private(set) var fullChannels: Set<Int> = []
    /// Nothing more is to be written, and nothing may be deleted.
    private(set) var isDiskFull = false
    private var scan: FolderScan?
    private var readBack = ReadBack()
    private var clock = ClockBelief()

    /// Files looked into at one tick.
    private static let scanLength = 8
    /// Steps of deleting at one tick.
    private static let deletionSteps = 4

    mutating func diskLost() {
        scan = nil
        fullChannels = []
    }

    mutating func tick(
        _ archive: RecordingArchive, now: MediaTime, reading: WallClockReading
    ) throws(StorageFailure) -> Outcome {
        var outcome = Outcome()
        clock.look(reading, now: now)
        let believed = clock.isBelieved ? reading.milliseconds(at: now) : nil
        let wantsOldest = try makeRoom(archive, now: believed, &outcome)
        try scanSome(archive, oldestFirst: wantsOldest, &outcome)
        outcome.readBack = try readBack.tick(archive, now: now)
        return outcome
    }

    /// - Returns: whether older footage is to be looked for first.
    private mutating func makeRoom(
        _ archive: RecordingArchive, now: Int64?, _ outcome: inout Outcome
    ) throws(StorageFailure) -> Bool {
        for _ in 0..<Self.deletionSteps {
            let space = try archive.store.space()
            outcome.space = space
            let verdict = try retention.judge(
                archive, space: space, wasFull: isDiskFull, pending: archive.readers.pendingBytes, now: now)
            if !retention.isFull(space, wasFull: isDiskFull) { isDiskFull = false }
            if case .channelsFull(let channels) = verdict { fullChannels = channels } else { fullChannels = [] }
            switch verdict {
            case .delete(let segments):
                try archive.delete(segments)
                outcome.deleted += segments.count
            case .scanFirst: return true
            case .diskFull:
                isDiskFull = true
                return false
            case .enough, .channelsFull: return false
            }
        }
        return false
    }

    /// Makes room before anything else is written to a disk that may be full to the brim; `isDiskFull` tells the outcome.
    mutating func relieve(_ archive: RecordingArchive) throws(StorageFailure) {
        while true {
            let space = try archive.store.space()
            isDiskFull = retention.isFull(space, wasFull: true)
            guard isDiskFull else { return }
            let verdict = try retention.judge(archive, space: space, wasFull: true, pending: 0, now: nil)
            guard case .delete(let segments) = verdict else { return }
            try archive.delete(segments)
        }
    }

    private mutating func scanSome(
        _ archive: RecordingArchive, oldestFirst: Bool, _ outcome: inout Outcome
    ) throws(StorageFailure) {
        let left = try archive.onIndex { index throws(SQLiteError) in try index.folders(.unscanned) }
        outcome.unscannedFolders = left.count
        if scan == nil, let next = oldestFirst ? left.last : left.first {
            scan = try FolderScan(next, archive: archive)
        }
        guard var current = scan else { return }
        var report = RecoveryReport()
        for _ in 0..<Self.scanLength {
            guard try current.step(&report) else {
                scan = nil
                return
            }
        }
        scan = current
    }
}

/// Whether the wall clock may decide that footage is too old. A clock that nobody set, or that was just set, might empty
/// the disk by mistake.
struct ClockBelief {
    /// After so long without a step even a clock that nobody vouches for is believed.
    static let patience = MediaTime.seconds(3600)

    private var last: (reading: WallClockReading, since: MediaTime)?
    private(set) var isBelieved = false

    mutating func look(_ reading: WallClockReading, now: MediaTime) {
        if let last, abs(reading.offset - last.reading.offset) <= StreamClock.tolerance {
            isBelieved = reading.isTrusted || now - last.since >= Self.patience
        } else {
            last = (reading, now)
            isBelieved = reading.isTrusted
        }
    }
}
