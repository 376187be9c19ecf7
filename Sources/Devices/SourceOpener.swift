import Media

/// Opens what the settings name. Remembers a camera's stable path and bus, so that it is found again wherever it comes
/// back. Belongs to one thread.
package struct CameraOpener {
    private let settings: CameraSettings
    private let name: String
    /// Whether H.264 that a camera makes itself is wanted as it is; for the next `open`.
    package var passThrough: Bool
    private var known: (stablePath: String?, bus: String)?

    package init(settings: CameraSettings, name: String, passThrough: Bool) {
        self.settings = settings
        self.name = name
        self.passThrough = passThrough
    }

    /// The source and the device's name for people.
    package mutating func open() throws(DeviceError) -> (source: any VideoSource, device: String) {
        switch settings.source {
        case .synthetic: return (try SyntheticCamera(settings: settings, name: name), "synthetic")
        case .file(let path): return (try Y4MCamera(path: path), path)
        case .v4l2(let device):
            let path = try locate(device)
            let camera = try V4L2Camera(path: path, settings: settings, passThrough: passThrough)
            if known == nil, let description = CameraDiscovery.describe(path) {
                known = (CameraDiscovery.stablePath(of: path), description.bus)
            }
            return (camera, known?.stablePath ?? path)
        case .none:
            throw DeviceError(.unsupported, device: "camera", action: "opening it", reason: "the channel has none")
        }
    }

    private func locate(_ device: String) throws(DeviceError) -> String {
        if let stable = known?.stablePath { return stable }
        if let bus = known?.bus, !bus.isEmpty {
            if let path = CameraDiscovery.path(onBus: bus) { return path }
            throw DeviceError(
                .absent, device: device, action: "looking for the camera",
                reason: "nothing on \(bus); is it plugged in?")
        }
        guard device == "auto" else { return device }
        guard let first = CameraDiscovery.cameras().first(where: { !$0.formats.isEmpty }) else {
            throw DeviceError(
                .absent, device: "auto", action: "looking for a camera", reason: "this machine has none that streams")
        }
        return first.path
    }
}

/// Opens what the settings name.
package struct MicrophoneOpener {
    private let settings: MicrophoneSettings

    package init(settings: MicrophoneSettings) { self.settings = settings }

    package func open() throws(DeviceError) -> (source: any AudioSource, device: String) {
        switch settings.source {
        case .synthetic: return (SyntheticMicrophone(settings: settings), "synthetic")
        case .file(let path):
            let file = try WAVMicrophone(path: path)
            guard file.rate == settings.rate, file.channels == settings.channels else {
                throw DeviceError(
                    .unsupported, device: path, action: "opening the file",
                    reason: "it has \(file.detail); the configuration says \(settings.rate) Hz, \(settings.channels)")
            }
            return (file, path)
        case .alsa(let device):
            let name = device == "auto" ? SoundDiscovery.microphones().first?.device : device
            guard let name else {
                throw DeviceError(
                    .absent, device: "auto", action: "looking for a microphone", reason: "this machine has none")
            }
            return (try ALSAMicrophone(device: name, settings: settings), name)
        case .none:
            throw DeviceError(.unsupported, device: "microphone", action: "opening it", reason: "the channel has none")
        }
    }
}
