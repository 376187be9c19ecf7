/// One platform that the device is a terminal of, as configured.
package struct PlatformSettings: Sendable, Hashable {
    package struct Server: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Who the terminal says it is.
    package struct Identity: Sendable, Hashable {
        package var province: UInt16 = 0
        package var city: UInt16 = 0
        package var manufacturer = "EDGEA"
        package var model = "EdgeAgent"
        package var terminalID = ""
        package var plateColour: UInt8 = 0
        package var plate = ""
        package var imei = ""
        package var iccid = ""
        package var firmware = ""

        package init() {}
    }

    /// A channel as the platform knows it.
    package struct Channel: Sendable, Hashable {
        package var logical: UInt8
        package var id: Int

        package init(logical: UInt8, id: Int) {
            self.logical = logical
            self.id = id
        }
    }

    /// In degrees and metres.
    package struct Position: Sendable, Hashable {
        package var latitude: Double
        package var longitude: Double
        package var altitude: Double

        package init(latitude: Double, longitude: Double, altitude: Double = 0) {
            self.latitude = latitude
            self.longitude = longitude
            self.altitude = altitude
        }
    }

    /// What answers 0x9201.
    package enum PlaybackAnswer: String, Sendable, Hashable, CaseIterable {
        case both
        /// 0x0001
        case general
        /// 0x1205
        case list
    }

    /// Tells platforms apart in commands, logs and file names.
    package var name: String
    /// The main one first.
    package var servers: [Server]
    package var phone: PhoneNumber
    package var version = JT808Version.v2013
    /// Bytes of the SIM in media packets; nil follows the version.
    package var simLength: Int?
    package var identity = Identity()
    package var channels: [Channel]
    package var audio = JT1078Audio.aac
    /// Seconds.
    package var heartbeat = 30
    /// Seconds until a message that was not answered goes out again.
    package var answerTimeout = 10
    package var resends = 3
    /// Seconds.
    package var locationInterval = 30
    package var position: Position?
    /// Who knows the position better, where he knows it.
    package var gpsd: Server?
    /// A live request opens this target instead of packets; `{sim}`, `{channel}` and `{stream}` are replaced.
    package var liveTarget: String?
    package var playbackAnswer = PlaybackAnswer.both

    package init(name: String, servers: [Server], phone: PhoneNumber, channels: [Channel]) {
        self.name = name
        self.servers = servers
        self.phone = phone
        self.channels = channels
    }

    package var mediaSIMLength: Int { simLength ?? version.phoneBytes }

    package func channel(_ logical: UInt8) -> Channel? { channels.first { $0.logical == logical } }

    package func logical(_ id: Int) -> UInt8? { channels.first { $0.id == id }?.logical }

    package static let maximumPlatforms = 8
    package static let maximumChannels = 32
}
