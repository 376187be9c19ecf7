import Logging
import Media
import NIOCore
import NIOPosix
import Streaming
import Synchronization

/// All pushes of the agent: opened, joined, listed and closed on command, kept across restarts, closed in order at the
/// end. Nothing here is on the path of a frame.
package actor PushManager {
    /// The hub of a stream, or nil where the configuration has no such stream. Called on event loops; must not block.
    package typealias Hubs = @Sendable (_ channel: Int, _ quality: StreamQuality) -> StreamHub?

    private struct Entry {
        let driver: PushDriver
        /// Commanded for good: kept across a restart.
        var isKept: Bool
    }

    package nonisolated let settings: PublishingSettings
    private let group: any EventLoopGroup
    private let hubs: Hubs
    private let clock: any MediaClock
    private let random: @Sendable () -> Double
    private let breaks = PushBreaks()
    private let logger: Logger
    private let store: PushStore?
    private let broadcast = Broadcast<PushEvent>()
    private var entries: [UInt64: Entry] = [:] {
        didSet { count.withLock { [entries] in $0 = entries.count } }
    }
    /// Of `entries`, for those who cannot wait.
    private nonisolated let count = Mutex(0)
    private var nextID: UInt64 = 1
    private var generation: UInt64 = 0
    private var isShuttingDown = false

    /// - Parameters:
    ///   - group: each push lives on one of its loops.
    ///   - random: evenly from 0 to 1; spreads the pauses before new attempts.
    package init(
        settings: PublishingSettings, group: any EventLoopGroup, hubs: @escaping Hubs, logger: Logger,
        clock: any MediaClock = SystemMediaClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.settings = settings
        self.group = group
        self.hubs = hubs
        self.logger = logger
        self.clock = clock
        self.random = random
        store = settings.stateFile.map { PushStore(path: $0) }
    }

    /// Changes of state from now on. Somebody who does not read loses the oldest ones; the newest 256 are held.
    package nonisolated func events() -> AsyncStream<PushEvent> { broadcast.listen() }

    /// The target that a command means, which is the configured one where it names none.
    package nonisolated func target(_ text: String?) throws(PushError) -> PushTarget {
        guard let text = text ?? settings.defaultTarget else { throw .noTarget }
        do throws(PushTarget.ParseError) { return try PushTarget(text) } catch { throw .badTarget(error) }
    }

    /// Takes up again what was commanded before the last stop.
    package func start() async {
        guard let store, !isShuttingDown else { return }
        do {
            let (saved, unreadable) = try await NIOThreadPool.singleton.runIfActive { try store.load() }
            guard !isShuttingDown else { return }
            if unreadable > 0 {
                logger.warning(
                    "some pushes could not be read from the state file and are left out",
                    metadata: ["file": "\(store.path)", "lines": "\(unreadable)"])
            }
            for entry in saved.prefix(settings.maximumPushes) where entries[entry.id] == nil {
                guard entry.id < UInt64.max else { continue }
                nextID = max(nextID, entry.id + 1)
                makeEntry(id: entry.id, entry.request, patience: .endless).start()
                entries[entry.id]?.isKept = true
            }
        } catch {
            logger.error("the pushes of before cannot be taken up again", metadata: ["error": "\(error)"])
        }
    }

    /// Opens a push, or joins the one there is for the same channel, stream, tracks and target.
    ///
    /// - Parameter waits: true returns when the service has accepted the stream and its first key frame, or throws with
    ///   the reason why not, and then a push that was new is gone. False returns at once; the push is then tried for
    ///   ever, and `events` tell what comes of it.
    package func open(
        _ request: PushRequest, waits: Bool
    ) async throws(PushError) -> (push: PushSnapshot, isNew: Bool) {
        guard !isShuttingDown else { throw .shuttingDown }
        guard hubs(request.channel, request.quality) != nil else {
            throw .noSuchStream(channel: request.channel, quality: request.quality)
        }
        let driver: PushDriver
        let isNew: Bool
        if let known = entries.values.first(where: { $0.driver.request.isSamePush(as: request) }) {
            driver = known.driver
            isNew = false
            driver.join(keepsTrying: !waits)
        } else {
            guard entries.count < settings.maximumPushes else { throw .tooManyPushes(limit: settings.maximumPushes) }
            driver = makeEntry(id: nextID, request, patience: waits ? .once : .endless)
            isNew = true
            nextID += 1
            driver.start()
        }
        if waits {
            do {
                try await driver.whenPublishing().get()
            } catch {
                // Somebody else's asynchronous command may keep it; its own failure does not.
                if await snapshot(driver)?.state == .closed { entries[driver.id] = nil }
                throw error as? PushError ?? .failed(CloseCause(.shutdown, "\(error)"), isTimeout: false)
            }
        }
        if entries[driver.id]?.isKept == false {
            entries[driver.id]?.isKept = true
            await save()
        }
        guard let push = await snapshot(driver) else { throw .shuttingDown }
        if push.state == .closed, !isNew, !waits, entries[driver.id]?.driver === driver {
            // It failed for the one who waited for it while this command came in.
            entries[driver.id] = nil
            return try await open(request, waits: waits)
        }
        return (push, isNew)
    }

    /// Ends a push, with a farewell to its service; returns it as it was at the end.
    package func close(_ id: String) async throws(PushError) -> PushSnapshot {
        guard let number = UInt64(id), let entry = entries.removeValue(forKey: number) else { throw .noSuchPush(id) }
        try? await entry.driver.close(CloseCause(.requested, "closed on command")).get()
        if entry.isKept { await save() }
        guard let push = await snapshot(entry.driver) else { throw .shuttingDown }
        return push
    }

    // MARK: For platforms

    /// Opens a push of the request's owner, beside all others, and returns at once. It ends when the platform may be
    /// expected to command it anew, and is not kept across restarts, since a platform then does.
    package func command(
        _ request: PushRequest, attachment: PushAttachment = PushAttachment()
    ) throws(PushError) -> String {
        guard !isShuttingDown else { throw .shuttingDown }
        guard !attachment.isLive || hubs(request.channel, request.quality) != nil else {
            throw .noSuchStream(channel: request.channel, quality: request.quality)
        }
        guard entries.count < settings.maximumPushes else { throw .tooManyPushes(limit: settings.maximumPushes) }
        let driver = makeEntry(id: nextID, request, attachment: attachment, patience: .platform)
        nextID += 1
        driver.start()
        return String(driver.id)
    }

    /// Changes what a push sends, without a new connection. Nothing happens where the push is over.
    package func change(_ id: String, quality: StreamQuality, tracks: TrackSelection) {
        driver(id)?.change(quality: quality, tracks: tracks)
    }

    package func setPaused(_ isPaused: Bool, _ id: String) { driver(id)?.setPaused(isPaused) }

    package func requestKeyFrame(_ id: String) { driver(id)?.requestKeyFrame() }

    /// Ends a push without waiting for its farewell.
    package func end(_ id: String, _ cause: CloseCause) {
        guard let number = UInt64(id), let entry = entries.removeValue(forKey: number) else { return }
        _ = entry.driver.close(cause)
    }

    /// How many more may be opened. Any thread.
    package nonisolated var room: Int { settings.maximumPushes - count.withLock { $0 } }

    private func forget(_ id: UInt64) { entries[id] = nil }

    private func driver(_ id: String) -> PushDriver? { UInt64(id).flatMap { entries[$0] }?.driver }

    package func get(_ id: String) async throws(PushError) -> PushSnapshot {
        guard let number = UInt64(id), let entry = entries[number], let push = await snapshot(entry.driver)
        else { throw .noSuchPush(id) }
        return push
    }

    /// In the order they were opened.
    package func list() async -> [PushSnapshot] {
        var pushes: [PushSnapshot] = []
        for (_, entry) in entries.sorted(by: { $0.key < $1.key }) {
            if let push = await snapshot(entry.driver) { pushes.append(push) }
        }
        return pushes
    }

    /// Ends all pushes at the same time, each with a farewell, within about `closeTimeout`. What was commanded stays
    /// in the state file.
    package func shutdown() async {
        guard !isShuttingDown else { return }
        isShuttingDown = true
        let closing = entries.values.map { $0.driver.close(CloseCause(.shutdown, "the agent stops")) }
        entries = [:]
        for future in closing { try? await future.get() }
        broadcast.finish()
    }

    /// How often pushes were interrupted, or ended, since the agent started. Any thread.
    package nonisolated var breaksByCause: [CloseCause.Code: Int] { breaks.byCause }

    // MARK: Inside

    private func makeEntry(
        id: UInt64, _ request: PushRequest, attachment: PushAttachment = PushAttachment(), patience: PushPatience
    ) -> PushDriver {
        let driver = PushDriver(
            id: id, request: request, attachment: attachment, patience: patience, settings: settings, hubs: hubs,
            loop: group.next(),
            clock: clock, random: random,
            report: { [broadcast, logger, breaks, weak self] event in
                Self.log(event, to: logger)
                if event.kind == .waiting || event.kind == .closed { breaks.count(event.push.cause) }
                broadcast.send(event)
                // Nobody but its platform would open it again, and that opens a new one.
                if event.kind == .closed, event.push.owner != nil { Task { await self?.forget(id) } }
            })
        entries[id] = Entry(driver: driver, isKept: false)
        return driver
    }

    private func snapshot(_ driver: PushDriver) async -> PushSnapshot? {
        try? await driver.snapshot().get()
    }

    private func save() async {
        guard let store else { return }
        generation += 1
        let list = entries.filter { $0.value.isKept }.sorted { $0.key < $1.key }
            .map { PushStore.Entry(id: $0.key, request: $0.value.driver.request) }
        do {
            try await NIOThreadPool.singleton.runIfActive { [generation] in
                try store.save(list, generation: generation)
            }
        } catch {
            logger.error(
                "the list of pushes is not kept; they will be missing after a restart", metadata: ["error": "\(error)"])
        }
    }

    private static func log(_ event: PushEvent, to logger: Logger) {
        let push = event.push
        var metadata: Logger.Metadata = [
            "push": "\(push.id)", "channel": "\(push.channel)", "stream": "\(push.quality.rawValue)",
            "target": "\(push.target)",
        ]
        if let cause = push.cause {
            metadata["cause"] = "\(cause.code.rawValue)"
            metadata["detail"] = "\(cause.detail)"
        }
        if let retry = push.retryInSeconds { metadata["retryInSeconds"] = "\(Int(retry.rounded(.up)))" }
        switch event.kind {
        case .opened: logger.info("push opened", metadata: metadata)
        case .publishing: logger.notice("push publishing", metadata: metadata)
        case .waiting: logger.warning("push interrupted, trying again", metadata: metadata)
        case .closed: logger.notice("push closed", metadata: metadata)
        }
    }
}

/// Counts why pushes were interrupted or ended.
private final class PushBreaks: Sendable {
    private let counts = Mutex<[CloseCause.Code: Int]>([:])

    var byCause: [CloseCause.Code: Int] { counts.withLock { $0 } }

    func count(_ cause: CloseCause?) {
        guard let cause else { return }
        counts.withLock { $0[cause.code, default: 0] += 1 }
    }
}
