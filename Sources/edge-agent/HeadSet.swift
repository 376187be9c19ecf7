import Devices
import Logging
import Media
import Motion
import Streaming
import Synchronization

/// The heads that turn, and how a new configuration changes them. Looking is quick and may be done from any thread;
/// changes block: not on the concurrency pool.
final class HeadSet: Sendable {
    private let heads = Mutex<[PTZHead]>([])
    /// Held while heads are changed; true once all are stopped for good.
    private let isClosed = Mutex(false)
    private let store: HeadStore
    private let logger: Logger
    private let onFault: @Sendable (Int, DeviceError?) -> Void

    /// - Parameters:
    ///   - folder: where heads keep their positions and presets; must be there before any is started.
    ///   - onFault: told when a channel's motor is lost, and with nil when it is back.
    init(folder: String, logger: Logger, onFault: @escaping @Sendable (Int, DeviceError?) -> Void) {
        store = HeadStore(folder: folder, logger: logger)
        self.logger = logger
        self.onFault = onFault
    }

    func head(_ channel: Int) -> PTZHead? { heads.withLock { $0.first { $0.channel == channel } } }

    /// Who commanded is gone: what it moved stops. Returns at once.
    func lost(_ holder: MotionHolder) {
        for head in heads.withLock({ $0 }) { head.lost(holder) }
    }

    /// What is configured as before is not touched; the others come to rest first. Blocks.
    ///
    /// - Parameter settings: by channel.
    func apply(_ settings: [Int: PTZSettings]) {
        isClosed.withLock { isClosed in
            if !isClosed { change(to: settings) }
        }
    }

    private func change(to wanted: [Int: PTZSettings]) {
        let old = heads.withLock { $0 }
        let kept = old.filter { wanted[$0.channel] == $0.settings }
        heads.withLock { $0 = kept }
        stop(old.filter { head in !kept.contains { $0 === head } })
        let new = wanted.filter { entry in !kept.contains { $0.channel == entry.key } }
            .map { channel, settings in
                PTZHead(channel: channel, settings: settings, store: store, logger: logger) { [onFault] error in
                    onFault(channel, error)
                }
            }
        heads.withLock { $0 = kept + new }
        for head in new { head.start() }
    }

    /// All come to rest, for good. Blocks for `PTZHead.stopTimeout` and what the disk takes at most.
    func stopAll() {
        isClosed.withLock { isClosed in
            isClosed = true
            stop(
                heads.withLock { heads in
                    defer { heads = [] }
                    return heads
                })
        }
        store.close()
    }

    /// All at once, since each may take its time.
    private func stop(_ heads: [PTZHead]) {
        let threads = heads.map { head in MediaThread(name: "ptz-stop\(head.channel)") { head.stop() } }
        let deadline = SystemMediaClock().now() + PTZHead.stopTimeout
        for thread in threads { _ = thread.join(timeout: deadline - SystemMediaClock().now()) }
    }
}
