import Containers
import Glibc
import Logging
import Media
import NIOCore
import Recording
import Streaming
import TestSupport

/// A device with a disk in memory, simulated clocks and some streams. The index is a real file.
final class TestRig {
    var store: LyingStore
    let time: SimulatedTime
    var boot = UniqueID(high: 1, low: 1)
    let folder: String
    var indexPath: String
    var settings: RecordingSettings
    var streams: [TestStream] = []
    private(set) var engine: RecordingEngine?
    private(set) var events: [RecordingEvent] = []
    private var nextTick: MediaTime
    /// Frames that a stream's next one tells were let go.
    var missed: [StreamKey: Int] = [:]
    /// Time zone: an hour ahead of UTC.
    static let calendar = DayCalendar { _ in 3600 }
    var calendar = TestRig.calendar
    /// How often the engine's clock ticks.
    var tickInterval = RecordingEngine.tickInterval
    /// Files of the index that were put aside.
    private(set) var indexesSetAside = 0

    init(
        seed: UInt64 = 0, capacity: Int = 1 << 34, time: SimulatedTime = SimulatedTime(), segment: Int64 = 10
    ) throws {
        store = LyingStore(seed: seed, capacity: capacity)
        self.time = time
        // In memory where possible: the index syncs at each change.
        var template = Array(
            ((access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/edge-agent-tests-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw IOError(errnoCode: errno, reason: "mkdtemp") }
        folder = String(cString: made)
        indexPath = folder + "/index.sqlite"
        settings = RecordingSettings(folder: "simulated", diskMemory: folder + "/disk")
        settings.device = "test"
        nextTick = time.now()
        segmentLength = .seconds(segment)
    }

    let segmentLength: MediaTime

    deinit { removeFolder(folder) }

    func addStream(
        _ channel: Int = 0, _ quality: StreamQuality = .main, mode: RecordingPlan.Mode = .continuous,
        preRoll: MediaTime = .zero, hasVideo: Bool = true, hasAudio: Bool = true
    ) throws {
        let key = StreamKey(channel: channel, stream: quality)
        streams.append(try TestStream(key, start: time.now(), hasVideo: hasVideo, hasAudio: hasAudio))
        settings.plans.append(
            RecordingPlan(key: key, mode: mode, preRoll: preRoll, segmentLength: segmentLength))
    }

    // MARK: Running

    func start() {
        let environment = RecordingEngine.Environment(
            clock: time, wallClock: time, calendar: calendar, boot: boot,
            openStore: { [store] _ throws(StorageFailure) in
                try store.checkIsThere()
                return store
            }, indexPath: { [indexPath] _ in indexPath },
            setIndexAside: { [weak self] path in
                self?.indexesSetAside += 1
                for ending in ["", "-wal", "-shm"] { unlink(path + ending) }
            })
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        engine = RecordingEngine(settings: settings, environment: environment, logger: logger) { [weak self] in
            self?.events.append($0)
        }
        nextTick = time.now()
        for stream in streams.indices { streams[stream].beginAnew() }
        tick()
    }

    func tick() {
        engine?.tick()
        nextTick = time.now() + tickInterval
    }

    /// Time goes on, frames come, the clock ticks.
    func run(seconds: Double) {
        let end = time.now() + MediaTime(nanoseconds: Int64(seconds * 1e9))
        while time.now() < end {
            let until = min(nextTick, end)
            var frames: [(StreamKey, StreamFrame)] = []
            for index in streams.indices {
                let key = streams[index].key
                let isWanted = engine?.wantedStreams.contains(key) ?? false
                let new = streams[index].frames(until: until)
                if isWanted { frames += new.map { (key, $0) } }
            }
            for (key, frame) in frames.sorted(by: { TestStream.arrival(of: $0.1) < TestStream.arrival(of: $1.1) }) {
                time.advance(to: frame.time)
                engine?.take(frame, of: key, lost: missed.removeValue(forKey: key) ?? 0)
            }
            time.advance(to: until)
            if time.now() >= nextTick { tick() }
        }
    }

    /// Ends in order.
    func stop() {
        engine?.end()
        engine = nil
    }

    /// The agent is gone at once, its disk stays as it is.
    func kill() { engine = nil }

    /// What an agent that is killed leaves of its index: what was committed.
    func snapshotIndex() -> String {
        let path = folder + "/cut-\(Int.random(in: 0..<Int.max)).sqlite"
        for ending in ["", "-wal"] {
            guard let bytes = try? readFile(indexPath + ending) else { continue }
            try? writeFile(path + ending, Array(bytes.readableBytesView))
        }
        return path
    }

    /// Writes rubbish over the middle of the index.
    func damageIndex() throws {
        unlink(indexPath + "-wal")
        unlink(indexPath + "-shm")
        var bytes = Array(try readFile(indexPath).readableBytesView)
        for place in 100..<bytes.count { bytes[place] = UInt8(place & 255) }
        try writeFile(indexPath, bytes)
    }

    var status: RecordingStatus { engine?.status ?? RecordingStatus() }

    // MARK: Looking

    /// What viewers are told of the segments that are being written, by their numbers in the index.
    var liveSegments: [Int64: LiveSegments.Progress] {
        guard let live = engine?.live else { return [:] }
        let ids = streams.flatMap { (try? segments($0.key)) ?? [] }.map(\.id)
        return Dictionary(ids.compactMap { id in live[id].map { (id, $0) } }) { first, _ in first }
    }

    /// The index, from outside.
    func segments(_ key: StreamKey) throws -> [Segment] {
        try SQLiteDatabase(path: indexPath).segments(of: key, in: Int64.min..<Int64.max)
    }

    func gaps(_ key: StreamKey) throws -> [RecordingGap] {
        try SQLiteDatabase(path: indexPath).gaps(of: key, in: Int64.min..<Int64.max)
    }

    /// The numbers of a segment's frames of one kind, in the order of the file.
    func numbers(_ kind: MediaKind, in segment: Segment) throws -> [Int] {
        let file = try store.open(segment.path, forWriting: false)
        let reader = try MP4Reader(length: try file.length()) { try? file.read(at: $0, count: $1) }
        return try reader.samples().filter { $0.kind == kind }.map { sample in
            TestStream.number(in: try file.read(at: sample.offset, count: sample.size)) ?? -1
        }
    }

    func numbers(_ kind: MediaKind, _ key: StreamKey) throws -> [Int] {
        try segments(key).flatMap { try numbers(kind, in: $0) }
    }
}
