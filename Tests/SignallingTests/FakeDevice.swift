import Imaging
import Motion
import Signalling
import Synchronization

/// A device with two channels, of which the first turns; it remembers what was asked of it.
final class FakeDevice: DeviceView {
    struct State {
        var isStandby = false
        var isTalking: Bool? = false
        var hasRecordings = true
        var orientations: [Int: PictureOrientation] = [:]
    }

    let state = Mutex(State())
    let head = FakeHead()

    var channels: [SignalledChannel] {
        [
            SignalledChannel(
                id: 0, name: "cam_front", hasVideo: true, hasAudio: true, qualities: [.main, .sub]),
            SignalledChannel(
                id: 1, name: "cam_back", hasVideo: true, hasAudio: false, qualities: [.main]),
        ]
    }

    func isOnline(_ channel: Int) -> Bool { channel == 0 }
    var isStandby: Bool { state.withLock { $0.isStandby } }
    var hasRecordings: Bool { state.withLock { $0.hasRecordings } }
    var isTalking: Bool? { state.withLock { $0.isTalking } }
    var version: String { "1.2.3" }
    var signalStrength: Int? { 80 }
    func head(of channel: Int) -> (any PTZControl)? { channel == 0 ? head : nil }

    func setStandby(_ isStandby: Bool) async -> Bool {
        state.withLock { $0.isStandby = isStandby }
        return true
    }

    func setOrientation(_ orientation: PictureOrientation, channel: Int) async -> Bool {
        state.withLock { $0.orientations[channel] = orientation }
        return channel == 0
    }

    /// Everything that viewers can say to this device.
    func table(visitors: VisitorTable = VisitorTable(), hook: (any UserCommandHook)? = nil) -> CommandTable {
        var userCommands = UserCommands(hook: hook)
        PTZCommands(self).add(to: &userCommands)
        TopicCommands(self, visitors: visitors).add(to: &userCommands)
        var table = CommandTable(userCommands: userCommands)
        DeviceCommands(self, visitors: visitors).add(to: &table)
        PlaybackCommands(visitors).add(to: &table)
        return table
    }
}

final class FakeHead: PTZControl {
    let commands = Mutex<[PTZCommand]>([])
    let holders = Mutex<Set<MotionHolder>>([])
    let refusal = Mutex<PTZRefusal?>(nil)

    func perform(_ command: PTZCommand, for holder: MotionHolder) async throws(PTZRefusal) -> PTZReport {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        commands.withLock { $0.append(command) }
        holders.withLock { _ = $0.insert(holder) }
        return report
    }

    func lost(_ holder: MotionHolder) {}

    var report: PTZReport {
        var report = PTZReport(driver: "fake")
        (report.pan, report.tilt) = (10.2, -4.8)
        report.limits = PTZLimits(minPan: -180, maxPan: 180, minTilt: -45, maxTilt: 45)
        return report
    }

    func takeCommands() -> [PTZCommand] {
        commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}
