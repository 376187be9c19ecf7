import Configuration
import Devices
import Logging
import Streaming

/// Finds out what `source: auto` stands for: the first device that opens and is nobody else's, else the synthetic one.
/// Blocks while devices answer.
struct SourceResolver {
    let logger: Logger

    /// - Parameter running: channels that have their devices already.
    func resolve(_ channels: [ChannelConfiguration], running: [ChannelSettings]) -> [ChannelSettings] {
        var takenCameras = Set((running + channels.map(\.settings)).compactMap(Self.camera(of:)))
        var takenMicrophones = Set((running + channels.map(\.settings)).compactMap(Self.microphone(of:)))
        return channels.map { channel in
            var settings = channel.settings
            if channel.usesSyntheticWithoutCamera {
                settings.camera.source = freeCamera(for: settings, taken: takenCameras) ?? .synthetic
                if let camera = Self.camera(of: settings) { takenCameras.insert(camera) }
            }
            if channel.usesSyntheticWithoutMicrophone {
                settings.microphone.source = freeMicrophone(for: settings, taken: takenMicrophones) ?? .synthetic
                if let microphone = Self.microphone(of: settings) { takenMicrophones.insert(microphone) }
            }
            return settings
        }
    }

    private func freeCamera(for settings: ChannelSettings, taken: Set<String>) -> CameraSettings.Source? {
        for camera in CameraDiscovery.cameras() where !camera.formats.isEmpty {
            let device = camera.stablePath ?? camera.path
            guard !taken.contains(device), !taken.contains(camera.path) else { continue }
            var attempt = settings.camera
            attempt.source = .v4l2(device: device)
            var opener = CameraOpener(settings: attempt, name: settings.name, passThrough: false)
            do {
                _ = try opener.open()
                return attempt.source
            } catch {
                logger.notice(
                    "a camera does not open", metadata: ["device": "\(device)", "detail": "\(error)"])
            }
        }
        logger.notice(
            "no camera is free; the synthetic one takes its place", metadata: ["channel": "\(settings.id)"])
        return nil
    }

    private func freeMicrophone(for settings: ChannelSettings, taken: Set<String>) -> MicrophoneSettings.Source? {
        for microphone in SoundDiscovery.microphones() where !taken.contains(microphone.device) {
            var attempt = settings.microphone
            attempt.source = .alsa(device: microphone.device)
            do {
                _ = try MicrophoneOpener(settings: attempt).open()
                return attempt.source
            } catch {
                logger.notice(
                    "a microphone does not open",
                    metadata: ["device": "\(microphone.device)", "detail": "\(error)"])
            }
        }
        logger.notice(
            "no microphone is free; the synthetic one takes its place", metadata: ["channel": "\(settings.id)"])
        return nil
    }

    private static func camera(of settings: ChannelSettings) -> String? {
        guard case .v4l2(let device) = settings.camera.source, device != "auto" else { return nil }
        return device
    }

    private static func microphone(of settings: ChannelSettings) -> String? {
        guard case .alsa(let device) = settings.microphone.source, device != "auto" else { return nil }
        return device
    }
}
