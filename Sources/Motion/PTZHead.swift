import Devices
import Logging
import Media
import Streaming
import Synchronization

/// One channel's head. Its motor and what is decided about it live on a thread of their own, which nothing else waits
/// for and which waits for nothing but its line.
package final class PTZHead: PTZControl {
    package let channel: Int
    package let settings: PTZSettings
    private let inbox = HeadInbox()
    private let latest: PublishedReport
    private let thread = Mutex<MediaThread?>(nil)
    private let makeRunner: @Sendable (HeadInbox, PublishedReport) -> HeadRunner

    package static let stopTimeout = HeadRunner.restTimeout + .milliseconds(700)

    /// - Parameters:
    ///   - onFault: told on the head's thread when the motor is lost, and with nil when it is back.
    ///   - makeDriver: another motor than that of the settings, for tests.
    package init(
        channel: Int, settings: PTZSettings, store: HeadStore, logger: Logger,
        onFault: @escaping @Sendable (DeviceError?) -> Void = { _ in },
        makeDriver: (@Sendable (MotorPosition) -> any MotorDriver)? = nil
    ) {
        self.channel = channel
        self.settings = settings
        latest = PublishedReport(PTZReport(driver: settings.driverName))
        makeRunner = { inbox, latest in
            HeadRunner(
                channel: channel, settings: settings, store: store, inbox: inbox, latest: latest, logger: logger,
                onFault: onFault, makeDriver: makeDriver ?? { settings.makeDriver(at: $0) })
        }
    }

    /// Once.
    package func start() {
        thread.withLock { thread in
            guard thread == nil else { return }
            thread = MediaThread(name: "ptz\(channel)") { [makeRunner, inbox, latest] in
                makeRunner(inbox, latest).run()
            }
        }
    }

    /// The motor comes to rest and is let go, for good. Blocks, for `stopTimeout` at most.
    package func stop() {
        inbox.close()
        _ = thread.withLock { $0 }?.join(timeout: Self.stopTimeout)
    }

    package func perform(_ command: PTZCommand, for holder: MotionHolder) async throws(PTZRefusal) -> PTZReport {
        let result: Result<PTZReport, PTZRefusal> = await withCheckedContinuation { continuation in
            inbox.put(.init(command: command, holder: holder) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    package func lost(_ holder: MotionHolder) { inbox.lost(holder) }

    package var report: PTZReport { latest.report }
}

/// The newest report, for whoever asks.
final class PublishedReport: Sendable {
    private let newest: Mutex<PTZReport>

    init(_ report: PTZReport) { newest = Mutex(report) }

    var report: PTZReport {
        get { newest.withLock { $0 } }
        set { newest.withLock { $0 = newValue } }
    }
}
