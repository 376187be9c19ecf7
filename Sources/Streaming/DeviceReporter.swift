import Devices
import Logging
import Media
import Synchronization

/// Keeps a device's status, and tells of each change of state once: one log line, one event.
final class DeviceReporter: Sendable {
    private let channel: Int
    private let kind: DeviceEvent.Device
    private let clock: any MediaClock
    private let logger: Logger
    private let onChange: @Sendable (DeviceEvent) -> Void
    private let state: Mutex<DeviceStatus>

    init(
        channel: Int, kind: DeviceEvent.Device, isPresent: Bool, clock: any MediaClock, logger: Logger,
        onChange: @escaping @Sendable (DeviceEvent) -> Void
    ) {
        self.channel = channel
        self.kind = kind
        self.clock = clock
        self.logger = logger
        self.onChange = onChange
        state = Mutex(DeviceStatus(state: isPresent ? .opening : .none, device: "", since: clock.now()))
    }

    var status: DeviceStatus { state.withLock { $0 } }

    func update(_ change: (inout DeviceStatus) -> Void) { state.withLock { change(&$0) } }

    func running(device: String, detail: String, warnings: [String] = []) {
        update { $0.cause = nil }
        report(.running, device: device, detail: detail)
        for warning in warnings {
            logger.warning(
                "the \(kind.rawValue) refused a setting", metadata: ["device": "\(device)", "setting": "\(warning)"])
        }
    }

    func stopped() { report(.stopped, device: nil, detail: "") }

    /// The device does not open, or is gone.
    func failed(_ error: DeviceError, device: String?, wasRunning: Bool) {
        let was = status.state
        update { ($0.cause, $0.level) = (error.cause, nil) }
        // A lost device that does not open again is still lost.
        report(wasRunning || was == .lost ? .lost : .absent, device: device, detail: "\(error)")
    }

    /// Its driver holds the thread that waits for it.
    func hangs(after patience: MediaTime) {
        let reason = "it has held its thread for \(patience.milliseconds / 1000) s; another one tries"
        let device = status.device.isEmpty ? kind.rawValue : status.device
        let error = DeviceError(.lost, device: device, action: "waiting for its driver", reason: reason)
        failed(error, device: device, wasRunning: true)
    }

    private func report(_ new: DeviceState, device: String?, detail: String) {
        let now = clock.now()
        let (changed, status) = state.withLock { status in
            let changed = status.state != new
            if changed {
                if new == .running, status.state == .lost { status.reconnects += 1 }
                status.state = new
                status.since = now
            }
            status.detail = detail
            if let device { status.device = device }
            return (changed, status)
        }
        guard changed else { return }
        let metadata: Logger.Metadata = ["device": "\(status.device)", "detail": "\(detail)"]
        switch new {
        case .lost, .absent: logger.warning("\(kind.rawValue) \(new.rawValue); looking for it", metadata: metadata)
        default: logger.info("\(kind.rawValue) \(new.rawValue)", metadata: metadata)
        }
        onChange(DeviceEvent(channel: channel, device: kind, status: status))
    }
}
