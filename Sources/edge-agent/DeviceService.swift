import ControlProtocol
import Imaging
import Logging
import Media
import Motion
import Recording
import Signalling
import Streaming
import Synchronization

/// The device as viewers' commands see it, and what they may set of it.
final class DeviceService: DeviceView {
    private let channelSet: ChannelSet
    private let recording: RecordingService
    private let heads: @Sendable (Int) -> (any PTZControl)?
    private let talking: @Sendable () -> Bool?
    private let path: String
    private let events: EventHub
    private let logger: Logger
    /// Held while something is changed, which may block.
    private let changing = Mutex(())

    /// - Parameters:
    ///   - path: of the file that remembers what viewers have set.
    ///   - heads: by channel.
    ///   - talking: whether somebody talks; nil where nobody can.
    init(
        channels: ChannelSet, recording: RecordingService, path: String,
        heads: @escaping @Sendable (Int) -> (any PTZControl)?, talking: @escaping @Sendable () -> Bool?,
        events: EventHub, logger: Logger
    ) {
        channelSet = channels
        self.recording = recording
        self.path = path
        self.heads = heads
        self.talking = talking
        self.events = events
        self.logger = logger
    }

    // MARK: Looking

    var channels: [SignalledChannel] {
        channelSet.settings.map { settings in
            SignalledChannel(
                id: settings.id, name: settings.name, hasVideo: settings.hasVideo, hasAudio: settings.hasAudio,
                qualities: settings.hasVideo && settings.sub != nil ? [.main, .sub] : [.main])
        }
    }

    func isOnline(_ channel: Int) -> Bool {
        guard let channel = channelSet.channel(channel) else { return false }
        let status = channel.status()
        let state = channel.settings.hasVideo ? status.camera.state : status.microphone.state
        return isStandby || state == .running || state == .opening
    }

    var isStandby: Bool { channelSet.memory.isStandby }
    var hasRecordings: Bool { recording.status.disk.state != .idle }
    var isTalking: Bool? { talking() }
    var version: String { agentVersion }
    var signalStrength: Int? { RadioSignal.strength() }
    func head(of channel: Int) -> (any PTZControl)? { heads(channel) }

    // MARK: Changing

    /// Takes up what was set before the last stop. Blocks; before the channels start.
    func remember() {
        do throws(StateFile.Failure) {
            guard let bytes = try StateFile.read(path, maximumBytes: DeviceMemory.maximumBytes) else { return }
            guard let memory = DeviceMemory(text: String(decoding: bytes, as: UTF8.self)) else {
                return logger.error("what viewers have set cannot be read", metadata: ["file": "\(path)"])
            }
            channelSet.setMemory(memory)
            if memory.isStandby { logger.notice("the device is in privacy mode: no picture and no sound is taken") }
        } catch {
            logger.error("what viewers have set cannot be read", metadata: ["error": "\(error)"])
        }
    }

    func setStandby(_ isStandby: Bool) async -> Bool {
        let isKept = await change("privacy") { channels in
            guard channels.memory.isStandby != isStandby else { return false }
            channels.setStandby(isStandby)
            return true
        }
        return isKept
    }

    func setOrientation(_ orientation: PictureOrientation, channel: Int) async -> Bool {
        guard channelSet.channel(channel)?.settings.hasVideo == true else { return false }
        return await change("orientation") { channels in
            guard channels.memory.orientation(of: channel) != orientation else { return false }
            channels.turn(orientation, channel: channel)
            return true
        }
    }

    /// - Parameter body: blocks; false where nothing has changed.
    /// - Returns: whether it is remembered.
    private func change(_ name: String, _ body: @escaping @Sendable (ChannelSet) -> Bool) async -> Bool {
        await MediaThread.run(name: name) { [self] in
            changing.withLock { _ in
                guard body(channelSet) else { return true }
                let memory = channelSet.memory
                let state = memory.isStandby ? "privacy mode" : "working"
                logger.notice("a viewer changed the device", metadata: ["what": "\(name)", "state": "\(state)"])
                if name == "privacy" { events.publish(EventReport.Name.privacy(isOn: memory.isStandby)) }
                do throws(StateFile.Failure) {
                    try StateFile.replace(path, with: Array(memory.text.utf8))
                    return true
                } catch {
                    logger.error("what a viewer has set is not kept", metadata: ["error": "\(error)"])
                    return false
                }
            }
        }
    }
}
