import Glibc
import Logging
import Media
import PlatformProtocol
import Recording
import Streaming

/// Brings recordings to FTP servers, one order after the other, on a thread of its own. Orders may be paused, gone on with
/// and given up at any time: that breaks the transfer off, which goes on where the server's file ends.
final class UploadQueue: Sendable {
    enum Order: UInt8, Sendable {
        case pause = 0
        case goOn = 1
        case giveUp = 2
    }

    private struct Job: Sendable {
        /// Serials come again on each connection.
        let number: UInt64
        let serial: UInt16
        let request: JT1078UploadRequest
        var isPaused = false
        var isGivenUp = false
    }

    private struct State {
        var jobs: [Job] = []
        var lastNumber: UInt64 = 0
        var isStopped = false
        var hasThread = false

        func job(_ number: UInt64) -> Job? { jobs.first { $0.number == number } }
        func isGivenUp(_ number: UInt64) -> Bool { isStopped || job(number)?.isGivenUp != false }
    }

    /// Orders that wait; more fail at once.
    static let maximumJobs = 16
    static let attempts = 5
    /// Before each further attempt; doubles.
    static let firstPause = MediaTime.seconds(2)

    private let settings: PlatformSettings
    private let device: any PlatformDevice
    private let logger: Logger
    private let onEnd: @Sendable (UInt16, Bool) -> Void
    private let monitor = Monitor(State())

    /// - Parameter onEnd: called on the queue's thread, or within `add`: an order's serial and whether all of it arrived.
    init(
        settings: PlatformSettings, device: any PlatformDevice, logger: Logger,
        onEnd: @escaping @Sendable (UInt16, Bool) -> Void
    ) {
        self.settings = settings
        self.device = device
        self.logger = logger
        self.onEnd = onEnd
    }

    // MARK: From anywhere

    func add(_ serial: UInt16, _ request: JT1078UploadRequest) {
        let (isTaken, startsThread) = monitor.withLock { state in
            guard state.jobs.count < Self.maximumJobs, !state.isStopped else { return (false, false) }
            state.lastNumber += 1
            state.jobs.append(Job(number: state.lastNumber, serial: serial, request: request))
            defer { state.hasThread = true }
            return (true, !state.hasThread)
        }
        guard isTaken else { return onEnd(serial, false) }
        monitor.notify()
        if startsThread { _ = MediaThread(name: "upload") { [self] in work() } }
    }

    func control(_ serial: UInt16, _ control: UInt8) {
        guard let order = Order(rawValue: control) else { return }
        monitor.withLock { state in
            // The newest of that serial.
            guard let index = state.jobs.lastIndex(where: { $0.serial == serial }) else { return }
            switch order {
            case .pause: state.jobs[index].isPaused = true
            case .goOn: state.jobs[index].isPaused = false
            case .giveUp: state.jobs[index].isGivenUp = true
            }
        }
        monitor.notify()
    }

    func stop() {
        monitor.withLock { $0.isStopped = true }
        monitor.notify()
    }

    // MARK: On the thread

    private func work() {
        while let job = next() {
            let isDone = run(job)
            let isGivenUp = monitor.withLock { state in
                defer { state.jobs.removeAll { $0.number == job.number } }
                return state.isGivenUp(job.number)
            }
            if isDone || !isGivenUp { onEnd(job.serial, isDone) }
        }
    }

    /// The first that is not paused; nil at the end.
    private func next() -> Job? {
        while true {
            let found = monitor.wait(until: SystemMediaClock().now() + .seconds(3600)) { state -> Job?? in
                if state.isStopped { return .some(nil) }
                state.jobs.removeAll(where: \.isGivenUp)
                return state.jobs.first { !$0.isPaused }.map { .some($0) }
            }
            if let found { return found }
        }
    }

    private func run(_ job: Job) -> Bool {
        let files = files(job.request.selection)
        guard !files.isEmpty else {
            logger.warning("there is nothing to upload", metadata: ["serial": "\(job.serial)"])
            return false
        }
        let server = FTPUpload.Server(
            host: job.request.host, port: job.request.port, user: job.request.user, password: job.request.password,
            folder: job.request.path)
        for (segment, name) in files {
            guard let source = try? device.footage, let file = try? source.open(segment),
                upload(file, FTPUpload(server: server, name: name), job.number)
            else { return false }
        }
        logger.info("an upload is done", metadata: ["serial": "\(job.serial)", "files": "\(files.count)"])
        return true
    }

    private func upload(_ file: SegmentFile, _ upload: FTPUpload, _ number: UInt64) -> Bool {
        var pause = Self.firstPause
        var failures = 0
        var resumes = false
        while true {
            guard waitUntilWanted(number) else { return false }
            switch upload.run(file, resumes: resumes, isWanted: { self.isWanted(number) }) {
            case .done: return true
            case .interrupted: resumes = true
            case .refused(let reason):
                logger.warning("an upload is refused", metadata: ["file": "\(upload.name)", "detail": "\(reason)"])
                return false
            case .failed(let reason):
                resumes = true
                failures += 1
                logger.warning("an upload is interrupted", metadata: ["file": "\(upload.name)", "detail": "\(reason)"])
                guard failures < Self.attempts, waitUnlessEnded(pause, number) else { return false }
                pause = pause * 2
            }
        }
    }

    private func isWanted(_ number: UInt64) -> Bool {
        monitor.withLock { state in !state.isGivenUp(number) && state.job(number)?.isPaused == false }
    }

    /// False where it is given up.
    private func waitUntilWanted(_ number: UInt64) -> Bool {
        while true {
            let answer = monitor.wait(until: SystemMediaClock().now() + .seconds(3600)) { state -> Bool? in
                guard !state.isGivenUp(number) else { return false }
                return state.job(number)?.isPaused == true ? nil : true
            }
            if let answer { return answer }
        }
    }

    private func waitUnlessEnded(_ pause: MediaTime, _ number: UInt64) -> Bool {
        let isEnded = monitor.wait(until: SystemMediaClock().now() + pause) { $0.isGivenUp(number) ? true : nil }
        return isEnded == nil
    }

    // MARK: Which files

    /// Whole files, as they are on the disk.
    private func files(_ selection: JT1078Selection) -> [(Segment, String)] {
        guard let source = try? device.footage else { return [] }
        return RecordingSearch(settings: settings, view: device.view()).segments(selection, source).map { found in
            let name =
                "ch\(found.channel)_\(JT808Time(milliseconds: found.segment.start))"
                + "_\(JT808Time(milliseconds: found.segment.end))_\(found.segment.key.stream.rawValue).mp4"
            return (found.segment, name)
        }
    }
}
