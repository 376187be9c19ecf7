/// The answer to `GET /api/v1/status`: the whole agent at one moment.
package struct StatusReport: Codable, Sendable, Hashable {
    package var version: String
    package var device: DeviceIdentity
    package var pid: Int
    package var uptimeSeconds: Double
    package var channels: [ChannelReport]
    package var viewerLimit: Int
    package var viewers: [ViewerReport]
    package var pushes: [PushReport]
    /// Privacy: no picture and no sound is taken. Older agents do not say.
    package var isStandby: Bool?
    /// Nil where nothing is recorded, and nothing ever was.
    package var recording: RecordingReport?
    /// Nil where no platform is configured.
    package var platforms: [PlatformReport]?
    /// How the connection to the broker is; nil where none is configured.
    package var rendezvous: String?
    /// Where viewers come in. Older agents do not say.
    package var entrance: EntranceReport?
    /// Nil where the device has no speaker.
    package var talkback: TalkbackReport?
    /// Older agents do not say.
    package var process: ProcessReport?
    /// How often pushes were interrupted, or ended, since the agent started, by cause (`PushReport.CauseCode`); older
    /// agents do not say.
    package var pushBreaks: [String: Int]?
    /// Nil where the kernel tells of none.
    package var temperatures: [Temperature]?

    package struct Temperature: Codable, Sendable, Hashable {
        /// As the kernel calls it, such as "cpu-thermal".
        package var zone: String
        package var celsius: Double

        package init(zone: String, celsius: Double) {
            self.zone = zone
            self.celsius = celsius
        }
    }

    package init(
        version: String, device: DeviceIdentity, pid: Int, uptimeSeconds: Double, channels: [ChannelReport],
        viewerLimit: Int, viewers: [ViewerReport], pushes: [PushReport], isStandby: Bool? = nil,
        recording: RecordingReport? = nil, talkback: TalkbackReport? = nil, platforms: [PlatformReport]? = nil
    ) {
        self.version = version
        self.device = device
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
        self.channels = channels
        self.viewerLimit = viewerLimit
        self.viewers = viewers
        self.pushes = pushes
        self.isStandby = isStandby
        self.recording = recording
        self.talkback = talkback
        self.platforms = platforms
    }
}
