import Containers
import Glibc
import Logging
import Media
import NIOCore
import Streaming
import Synchronization

/// Recording, as the rest of the agent sees it: a thread that writes, subscriptions that feed it, and a catalog to ask.
/// From any thread or task.
package final class RecordingService: Sendable {
    package typealias Hubs = @Sendable (_ channel: Int, _ stream: StreamQuality) -> StreamHub?

    /// Ending all segments takes so long at most; what is not ended by then is put in order at the next start.
    package static let stopTimeout = MediaTime.milliseconds(1200)

    private let inbox = RecorderInbox()
    private let feeds: RecordingFeeds
    private let clock: any MediaClock
    private let logger: Logger
    private let initial: RecordingSettings
    private let onEvent: @Sendable (RecordingEvent) -> Void
    private let published = Mutex(RecordingStatus())
    private let catalogs = Mutex<RecordingCatalog?>(nil)
    private let thread = Mutex<MediaThread?>(nil)

    /// - Parameters:
    ///   - loop: where the subscriptions live.
    ///   - onEvent: called on the recorder's thread; must not block.
    package init(
        settings: RecordingSettings, hubs: @escaping Hubs, loop: any EventLoop,
        clock: any MediaClock = SystemMediaClock(), logger: Logger,
        onEvent: @escaping @Sendable (RecordingEvent) -> Void = { _ in }
    ) {
        initial = settings
        feeds = RecordingFeeds(loop: loop, inbox: inbox, hubs: hubs)
        self.clock = clock
        self.logger = logger
        self.onEvent = onEvent
        if !settings.plans.isEmpty { published.withLock { $0.disk.state = .opening } }
    }

    /// Once.
    package func start() {
        thread.withLock { $0 = MediaThread(name: "recorder") { self.run() } }
    }

    /// Ends all segments. Blocks for `stopTimeout` at most.
    package func stop() {
        feeds.want([])
        inbox.close()
        guard let thread = thread.withLock({ $0 }), !thread.join(timeout: Self.stopTimeout) else { return }
        logger.warning("the disk is too slow to end recordings in time; they are ended at the next start")
    }

    // MARK: From outside

    package func apply(_ settings: RecordingSettings) { inbox.put(.order { $0.apply(settings) }) }

    package var status: RecordingStatus { published.withLock { $0 } }

    /// Nil while the disk is away.
    package var catalog: RecordingCatalog? { catalogs.withLock { $0 } }

    /// Nil where nothing is recorded and nothing ever was.
    package var footage: (any FootageSource)? {
        get throws(StorageFailure) {
            if let catalog { return catalog }
            guard status.disk.state != .idle else { return nil }
            throw StorageFailure(.missing, "the recording disk is away; see edgectl status")
        }
    }

    /// - Parameter milliseconds: how long; nil until it is stopped.
    package func startRecording(_ key: StreamKey, for milliseconds: Int64?) async throws(StorageFailure) {
        try await order { engine throws(StorageFailure) in try engine.command(key, for: milliseconds) }
    }

    package func stopRecording(_ key: StreamKey) async throws(StorageFailure) {
        try await order { engine throws(StorageFailure) in try engine.command(key, nil) }
    }

    /// - Returns: false where there is no such segment, or it is being written.
    package func setProtected(
        channel: Int, name: SegmentName, _ isProtected: Bool
    ) async throws(StorageFailure) -> Bool {
        try await order { engine throws(StorageFailure) in
            try engine.setProtected(channel: channel, name: name, isProtected)
        }
    }

    /// - Returns: false where there is no such segment, or it is being written.
    package func delete(channel: Int, name: SegmentName) async throws(StorageFailure) -> Bool {
        try await order { engine throws(StorageFailure) in try engine.delete(channel: channel, name: name) }
    }

    /// A reader found that a segment's file is gone.
    package func reportMissing(channel: Int, name: SegmentName) {
        inbox.put(.order { $0.reportMissing(channel: channel, name: name) })
    }

    /// Runs on the recorder's thread, between two frames.
    private func order<Answer: Sendable>(
        _ body: @escaping @Sendable (RecordingEngine) throws(StorageFailure) -> Answer
    ) async throws(StorageFailure) -> Answer {
        let result: Result<Answer, StorageFailure> = await withCheckedContinuation { continuation in
            let isTaken = inbox.put(
                .order { engine in
                    do throws(StorageFailure) {
                        continuation.resume(returning: .success(try body(engine)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                })
            if !isTaken { continuation.resume(returning: .failure(StorageFailure(.missing, "recording has ended"))) }
        }
        return try result.get()
    }

    // MARK: On the recorder's thread

    private func run() {
        let engine = RecordingEngine(
            settings: initial, environment: .device(clock: clock), logger: logger, onEvent: onEvent)
        var nextTick = clock.now()
        var wanted: Set<StreamKey> = []
        while let items = inbox.take(until: nextTick) {
            feeds.resume(inbox.release(perform(items, engine)))
            let isDue = clock.now() >= nextTick
            if isDue {
                engine.tick()
                nextTick = clock.now() + RecordingEngine.tickInterval
            }
            if isDue || engine.wantedStreams != wanted {
                wanted = engine.wantedStreams
                feeds.want(wanted)
            }
            if isDue || items.contains(where: { if case .order = $0 { true } else { false } }) { publish(engine) }
        }
        engine.end()
        publish(engine)
    }

    /// - Returns: the bytes of frames that were dealt with.
    private func perform(_ items: some Sequence<RecorderInbox.Item>, _ engine: RecordingEngine) -> [StreamKey: Int] {
        var bytes: [StreamKey: Int] = [:]
        for item in items {
            switch item {
            case .frame(let key, let frame, let lost):
                engine.take(frame, of: key, lost: lost)
                bytes[key, default: 0] += frame.tag.bodyLength
            case .ended(let key): engine.streamEnded(key)
            case .order(let order): order(engine)
            }
        }
        return bytes
    }

    private func publish(_ engine: RecordingEngine) {
        let status = engine.status
        published.withLock { $0 = status }
        let isOpen = engine.isOpen
        guard isOpen != (catalog != nil) else { return }
        let catalog = isOpen ? try? engine.makeCatalog() : nil
        catalogs.withLock { $0 = catalog }
    }
}

extension RecordingEngine.Environment {
    /// The device as it is.
    static func device(clock: any MediaClock) -> Self {
        Self(
            clock: clock, wallClock: SystemWallClock(), calendar: .device, boot: bootID(),
            openStore: { settings throws(StorageFailure) in
                let identity = DiskIdentity(memory: settings.diskMemory)
                // Only the first time: later a missing folder is a missing disk.
                if try identity.isNew { FolderStore.makeFolder(settings.folder) }
                let store = try FolderStore(path: settings.folder, requiresMount: settings.requiresMount)
                try identity.verify(store)
                return store
            },
            indexPath: { "\($0.folder)/\(RecordingPath.index)" },
            setIndexAside: { path in
                // One is kept, for whoever wants to know what happened.
                for ending in ["", "-wal", "-shm"] { rename(path + ending, path + ".damaged" + ending) }
            }, hasFootage: { access("\($0.folder)/\(RecordingPath.index)", F_OK) == 0 })
    }

    /// A new one where the kernel tells none: no footage is of this boot then.
    private static func bootID() -> UniqueID {
        let path = "/proc/sys/kernel/random/boot_id"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .random() }
        let text = (try? DescriptorFile(descriptor: descriptor, path: path).read(at: 0, count: 64)).map {
            String(buffer: $0)
        }
        return text.flatMap { UniqueID($0.prefix(36)) } ?? .random()
    }
}
