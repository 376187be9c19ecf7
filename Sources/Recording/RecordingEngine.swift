import Containers
import Logging
import Media
import Streaming

/// Recording as a whole: streams on the one side, a disk that may fill up, fail, vanish and come back on the other.
/// Takes frames and the tick of a clock; decides, writes and keeps house. For one thread, which may block in the disk.
package final class RecordingEngine {
    /// What the engine stands on; tests put something else there.
    package struct Environment {
        package var clock: any MediaClock
        package var wallClock: any WallClockSource
        package var calendar: DayCalendar
        /// Whose monotonic clock media time is of.
        package var boot: UniqueID
        /// The disk as it is now.
        package var openStore: (RecordingSettings) throws(StorageFailure) -> any FileStore
        /// Where the index lies, by the folder.
        package var indexPath: (RecordingSettings) -> String
        /// Puts an index that cannot be read out of the way.
        package var setIndexAside: (String) -> Void
        /// Whether something was recorded earlier, which can be looked at also while nothing is recorded any more.
        package var hasFootage: (RecordingSettings) -> Bool

        package init(
            clock: any MediaClock, wallClock: any WallClockSource, calendar: DayCalendar, boot: UniqueID,
            openStore: @escaping (RecordingSettings) throws(StorageFailure) -> any FileStore,
            indexPath: @escaping (RecordingSettings) -> String, setIndexAside: @escaping (String) -> Void,
            hasFootage: @escaping (RecordingSettings) -> Bool = { _ in false }
        ) {
            self.clock = clock
            self.wallClock = wallClock
            self.calendar = calendar
            self.boot = boot
            self.openStore = openStore
            self.indexPath = indexPath
            self.setIndexAside = setIndexAside
            self.hasFootage = hasFootage
        }
    }

    /// How often `tick` wants to be called.
    package static let tickInterval = MediaTime.seconds(1)
    /// A disk that is away is looked for so often.
    private static let retryInterval = MediaTime.seconds(3)
    /// The time zone may have been changed.
    private static let calendarInterval = MediaTime.seconds(60)

    package let live = LiveSegments()
    package let readers = SegmentReaders()
    private let environment: Environment
    private let logger: Logger
    private let onEvent: (RecordingEvent) -> Void
    private var settings: RecordingSettings
    private var streams: [StreamKey: StreamRecorder] = [:]
    private var states: [StreamKey: (state: StreamRecordingStatus.State, since: MediaTime)] = [:]
    private var commands: [StreamKey: RecordingCommand] = [:]
    private var archive: RecordingArchive?
    private var disk = DiskStatus()
    private var keeper = HouseKeeper()
    private var reading: WallClockReading
    private var retryAt = MediaTime.zero
    private var nextCalendarRefresh = MediaTime.zero
    private var isEnding = false

    package init(
        settings: RecordingSettings, environment: Environment, logger: Logger,
        onEvent: @escaping (RecordingEvent) -> Void = { _ in }
    ) {
        self.settings = settings
        self.environment = environment
        self.logger = logger
        self.onEvent = onEvent
        reading = environment.wallClock.read()
        apply(settings)
    }

    private var now: MediaTime { environment.clock.now() }
    private var utcNow: Int64 { reading.milliseconds(at: now) }

    // MARK: What to record

    /// Takes over new plans and limits; the folder stays as it was when the engine was made.
    package func apply(_ new: RecordingSettings) {
        let folder = (settings.folder, settings.diskMemory, settings.requiresMount)
        settings = new
        (settings.folder, settings.diskMemory, settings.requiresMount) = folder
        keeper.retention = Retention(limits: new.limits, freePerMille: new.freePerMille)
        let plans = Dictionary(new.plans.map { ($0.key, $0) }) { first, _ in first }
        for (key, stream) in streams where plans[key] == nil {
            onDisk { archive throws(StorageFailure) in
                try stream.set(.off, archive: archive, clock: reading)
            }
            streams[key] = nil
            states[key] = nil
        }
        for (key, plan) in plans {
            if let stream = streams[key] { stream.plan = plan } else { streams[key] = StreamRecorder(plan: plan) }
        }
        followPlans()
    }

    /// - Parameter milliseconds: from now on; nil for no end.
    package func command(_ key: StreamKey, for milliseconds: Int64?) throws(StorageFailure) {
        try command(key, RecordingCommand(until: milliseconds.map { utcNow + $0 }))
    }

    /// Whether the disk is there, to be written or only read.
    package var isOpen: Bool { archive != nil }

    /// For readers, from now on until the disk is gone.
    package func makeCatalog() throws(StorageFailure) -> RecordingCatalog {
        try RecordingCatalog(
            store: FolderStore(path: settings.folder), indexPath: environment.indexPath(settings), live: live,
            readers: readers, calendar: environment.calendar)
    }

    /// Streams whose frames the engine wants now.
    package var wantedStreams: Set<StreamKey> {
        guard archive != nil, disk.state == .ready else { return [] }
        return Set(streams.values.filter { $0.intent != .off }.map(\.key))
    }

    /// Whether there is anything to be recorded, now or later, or to be looked at.
    private var isNeeded: Bool {
        !streams.isEmpty || environment.hasFootage(settings)
    }

    /// - Parameter until: milliseconds since 1970, UTC.
    package func command(_ key: StreamKey, _ command: RecordingCommand?) throws(StorageFailure) {
        guard streams[key] != nil else {
            throw StorageFailure(.missing, "channel \(key.channel) \(key.stream.rawValue) has the recording mode off")
        }
        guard let archive else {
            throw StorageFailure(.missing, "the disk is \(disk.state.text): \(disk.detail)")
        }
        try archive.onIndex { index throws(SQLiteError) in
            if let command { try index.setCommand(key, until: command.until) } else { try index.removeCommand(key) }
        }
        commands[key] = command
        followPlans()
    }

    private func followPlans() {
        defer { noteStates() }
        guard archive != nil else { return }
        let now = utcNow
        for (key, stream) in streams {
            if let until = commands[key]?.until, now >= until {
                commands[key] = nil
                onDisk { archive throws(StorageFailure) in
                    try archive.onIndex { index throws(SQLiteError) in try index.removeCommand(key) }
                }
            }
            let intent =
                keeper.fullChannels.contains(key.channel) || disk.state != .ready || isEnding
                ? .off : stream.plan.intent(at: now, command: commands[key], calendar: environment.calendar)
            guard intent != stream.intent else { continue }
            if case .record = intent {
                stream.wantedSince = wantedSince(stream, intent: intent, now: now)
            }
            onDisk { archive throws(StorageFailure) in
                try stream.set(intent, archive: archive, clock: reading)
            }
        }
    }

    /// After a pause that nobody wanted, footage was wanted all the while.
    private func wantedSince(_ stream: StreamRecorder, intent: RecordingPlan.Intent, now: Int64) -> Int64 {
        if stream.absence != nil { return .min }
        return now
    }

    // MARK: Frames

    /// - Parameter lost: how many frames before this one never came, since the engine was too slow.
    package func take(_ frame: StreamFrame, of key: StreamKey, lost: Int = 0) {
        guard let stream = streams[key], stream.intent != .off else { return }
        if frame.isStart { reading = environment.wallClock.read() }
        onDisk { archive throws(StorageFailure) in
            try stream.take(frame, lost: lost, archive: archive, clock: reading)
        }
    }

    /// The stream's source is gone for now, such as a channel that is started anew.
    package func streamEnded(_ key: StreamKey) {
        guard let stream = streams[key] else { return }
        onDisk { archive throws(StorageFailure) in try stream.finish(archive, reading) }
        if case .record = stream.intent { stream.absence = stream.absence ?? .noFrames }
        stream.forget()
    }

    // MARK: The disk

    /// Whatever the disk refuses ends in the same place: nothing more is written, and it is opened again later.
    private func onDisk(_ body: (RecordingArchive) throws(StorageFailure) -> Void) {
        guard let archive else { return }
        do throws(StorageFailure) { try body(archive) } catch { lose(error) }
    }

    private func lose(_ failure: StorageFailure) {
        archive?.abandon()
        archive = nil
        let cause: RecordingGap.Cause = failure.kind == .full ? .diskFull : .diskAway
        for stream in streams.values {
            if case .record = stream.intent { stream.absence = cause }
            stream.drop()
        }
        keeper.diskLost()
        retryAt = now + Self.retryInterval
        note(DiskState(failure.kind), failure.description)
        noteStates()
    }

    private func openIfDue() {
        guard archive == nil, isNeeded, !isEnding, now >= retryAt else { return }
        let began = now
        if disk.state == .idle { note(.opening, "") }
        do throws(StorageFailure) {
            try open()
            disk.recoverySeconds = (now - began).seconds
            noteWhetherFull()
        } catch {
            archive = nil
            retryAt = now + Self.retryInterval
            note(DiskState(error.kind), error.description)
        }
        followPlans()
    }

    private func open() throws(StorageFailure) {
        let store = try environment.openStore(settings)
        do throws(StorageFailure) {
            try open(store)
        } catch {
            switch error.kind {
            case .full:
                // A little room for the index, which then makes more.
                try Ballast(store: store).release()
                try open(store)
            case .damagedIndex:
                logger.error("the index is damaged and is built anew", metadata: ["detail": "\(error)"])
                environment.setIndexAside(environment.indexPath(settings))
                try open(store, isNew: true)
            default: throw error
            }
        }
        logRecovery()
    }

    private func open(_ store: any FileStore, isNew: Bool = false) throws(StorageFailure) {
        let path = environment.indexPath(settings)
        let index = try RecordingIndex(path: path)
        let archive = try RecordingArchive(
            store: store, index: index, live: live, readers: readers, boot: environment.boot,
            device: settings.device, calendar: environment.calendar)
        let isFirst = try archive.isFirstSession
        if isNew || isFirst { try archive.markAllUnscanned() }
        try keeper.relieve(archive)
        disk.recovery = try archive.recover()
        try keeper.relieve(archive)
        if !keeper.isDiskFull { try Ballast(store: store).hold() }
        commands = try archive.onIndex { index throws(SQLiteError) in try index.commands() }
        self.archive = archive
        try noteWhatWasMissed(archive)
    }

    /// Streams that should have been recorded since their last footage.
    private func noteWhatWasMissed(_ archive: RecordingArchive) throws(StorageFailure) {
        let now = utcNow
        for (key, stream) in streams where stream.absence == nil {
            guard
                let last = try archive.onIndex({ index throws(SQLiteError) in
                    try index.database.lastSegment(of: key)
                }),
                stream.plan.wanted(from: last.end, to: now, command: commands[key], calendar: environment.calendar)
            else { continue }
            stream.absence = .agentDown
        }
    }

    private func logRecovery() {
        let report = disk.recovery
        guard !report.wasClean else { return }
        logger.notice(
            "recordings were put in order after a crash",
            metadata: [
                "closed": "\(report.closed)", "adopted": "\(report.adopted)", "dropped": "\(report.dropped)",
                "removed": "\(report.removed)", "deleted": "\(report.deleted)", "damaged": "\(report.damaged)",
            ])
    }

    private func note(_ state: DiskState, _ detail: String) {
        disk.detail = detail
        guard state != disk.state else { return }
        if state == .ready, ![.idle, .opening].contains(disk.state) { disk.returns += 1 }
        disk.state = state
        disk.since = now
        let metadata: Logger.Metadata = ["folder": "\(settings.folder)", "detail": "\(detail)"]
        switch state {
        case .ready, .idle, .opening: logger.info("the recording disk is \(state.rawValue)", metadata: metadata)
        case .full, .readOnly, .missing, .failed:
            logger.error("nothing is recorded: the disk is \(state.text)", metadata: metadata)
        }
        onEvent(.disk(state, folder: settings.folder, detail: detail))
    }

    // MARK: Time

    /// To be called once in `tickInterval`.
    package func tick() {
        reading = environment.wallClock.read()
        if now >= nextCalendarRefresh {
            DayCalendar.refreshDevice()
            nextCalendarRefresh = now + Self.calendarInterval
        }
        openIfDue()
        onDisk { archive throws(StorageFailure) in
            try archive.store.checkIsThere()
            for stream in streams.values {
                try stream.finishIfSilent(archive, now: now, clock: reading)
            }
            try keepHouse(archive)
        }
        followPlans()
    }

    private func keepHouse(_ archive: RecordingArchive) throws(StorageFailure) {
        let outcome = try keeper.tick(archive, now: now, reading: reading)
        disk.space = outcome.space
        disk.deletedSegments += outcome.deleted
        disk.unscannedFolders = outcome.unscannedFolders
        if let result = outcome.readBack {
            disk.readBacks += 1
            if case .damaged(let segment) = result {
                disk.readBackFailures += 1
                logger.error(
                    "a recording cannot be read back as it was written; the disk may be failing",
                    metadata: ["channel": "\(segment.key.channel)", "file": "\(segment.name)"])
                onEvent(.damaged(segment.key, segment.name))
            }
        }
        if keeper.isDiskFull, disk.state == .ready {
            for stream in streams.values {
                guard case .record = stream.intent else { continue }
                try stream.finish(archive, reading)
                stream.absence = .diskFull
            }
        }
        noteWhetherFull()
    }

    private func noteWhetherFull() {
        if keeper.isDiskFull {
            note(.full, "nothing may be deleted: all footage is protected, or others fill the disk")
        } else {
            note(.ready, "")
        }
    }

    // MARK: Orders

    package func setProtected(channel: Int, name: SegmentName, _ isProtected: Bool) throws(StorageFailure) -> Bool {
        try withSegment(channel, name) { archive, segment throws(StorageFailure) in
            try archive.onIndex { index throws(SQLiteError) in
                try index.setProtected(id: segment.id, isProtected)
            }
        }
    }

    /// - Returns: false where there is no such segment, or it is being written.
    package func delete(channel: Int, name: SegmentName) throws(StorageFailure) -> Bool {
        try withSegment(channel, name) { archive, segment throws(StorageFailure) in
            try archive.delete([segment])
        }
    }

    /// A reader found that a segment's file is not there.
    package func reportMissing(channel: Int, name: SegmentName) {
        onDisk { archive throws(StorageFailure) in
            let segment = try archive.onIndex { index throws(SQLiteError) in
                try index.database.segment(channel: channel, name: name)
            }
            guard let segment, segment.state == .closed, try !archive.hasFile(segment) else { return }
            try archive.drop([segment])
        }
    }

    private func withSegment(
        _ channel: Int, _ name: SegmentName,
        _ body: (RecordingArchive, Segment) throws(StorageFailure) -> Void
    ) throws(StorageFailure) -> Bool {
        guard let archive else { throw StorageFailure(.missing, "the disk is \(disk.state.text): \(disk.detail)") }
        do throws(StorageFailure) {
            let segment = try archive.onIndex { index throws(SQLiteError) in
                try index.database.segment(channel: channel, name: name)
            }
            guard let segment, segment.state == .closed else { return false }
            try body(archive, segment)
            return true
        } catch {
            lose(error)
            throw error
        }
    }

    /// Ends all segments, for good.
    package func end() {
        isEnding = true
        followPlans()
        onDisk { archive throws(StorageFailure) in try archive.end() }
        archive = nil
        note(.idle, "")
    }

    // MARK: Status

    package var status: RecordingStatus {
        var status = RecordingStatus()
        status.disk = disk
        status.disk.folder = settings.folder
        status.disk.totals = archive?.totals ?? disk.totals
        status.streams = streams.values.sorted {
            ($0.key.channel, $0.key.stream.index) < ($1.key.channel, $1.key.stream.index)
        }
        .map { stream in
            let segment = archive?.growing[stream.key]
            let (state, since) = states[stream.key] ?? (.off, .zero)
            return StreamRecordingStatus(
                key: stream.key, mode: stream.plan.mode, state: state, since: since, name: segment?.row.name,
                kind: segment?.row.kind, counters: stream.counters)
        }
        return status
    }

    private func noteStates() {
        for (key, stream) in streams {
            let state = state(of: stream)
            guard state != states[key]?.state else { continue }
            states[key] = (state, now)
            onEvent(.stream(key, state))
        }
    }

    private func state(of stream: StreamRecorder) -> StreamRecordingStatus.State {
        let wanted = stream.plan.intent(at: utcNow, command: commands[stream.key], calendar: environment.calendar)
        if wanted == .off || isEnding { return .off }
        guard let archive, disk.state == .ready else { return .diskAway }
        if keeper.fullChannels.contains(stream.key.channel) { return .full }
        if wanted == .buffer { return .buffering }
        return archive.growing[stream.key] != nil ? .recording : .waiting
    }
}

extension DiskState {
    /// In a sentence.
    var text: String {
        switch self {
        case .readOnly: "read-only"
        case .failed: "failing"
        default: rawValue
        }
    }
}
