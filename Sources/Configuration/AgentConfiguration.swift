import Access
import Media
import Motion
import PeerToPeer
import PlatformProtocol
import Recording
import Streaming

/// Everything the agent is told by its configuration. `Documentation/edge-agent.yaml` describes each key.
package struct AgentConfiguration: Sendable, Hashable {
    package var channels: [ChannelConfiguration]
    /// By channel; those that do not turn have none.
    package var heads: [Int: PTZSettings]
    package var server: ServerConfiguration
    package var access: AccessConfiguration
    package var push: PushConfiguration
    package var recording: RecordingConfiguration
    package var signalling: SignallingConfiguration
    package var peers: PeerSettings
    /// Nil where there is no broker.
    package var rendezvous: RendezvousSettings?
    /// Nil where viewers for whom there is no place are sent nowhere.
    package var handOff: HandOffConfiguration?
    package var talk: TalkConfiguration
    /// Fleet platforms that the device is a terminal of.
    package var platforms: [PlatformSettings]
    /// The Unix socket of the control API.
    package var controlSocket: String
    /// Where the agent keeps what must outlive it.
    package var stateFolder: String
    package var logLevel: LogLevel

    package static let defaultSocket = "/run/edge-agent/control.sock"
    package static let defaultStateFolder = "/var/lib/edge-agent"
    package static let defaultRecordingFolder = defaultStateFolder + "/recordings"
    package static let defaultFile = "/etc/edge-agent/edge-agent.yaml"
}

/// One channel as configured. Which device "auto" stands for is found out when the agent starts.
package struct ChannelConfiguration: Sendable, Hashable {
    package var settings: ChannelSettings
    /// `video.source: auto`: where no camera works, the synthetic one takes its place.
    package var usesSyntheticWithoutCamera: Bool
    /// `audio.source: auto`: likewise.
    package var usesSyntheticWithoutMicrophone: Bool
}

/// Who may watch, and where.
package struct ServerConfiguration: Sendable, Hashable {
    /// An IPv4 or IPv6 address of this machine, or a name of it.
    package var address: String
    package var port: Int
    package var viewerLimit: Int
    /// Of one channel; nil for as many as the device takes.
    package var channelViewerLimit: Int?
    /// Web origins that may use the streams from pages of their own; "*" for all.
    package var allowedOrigins: [String]
    /// What may wait for a slow viewer before frames are dropped for it.
    package var viewerQueueBytes: Int
    package var viewerQueueSeconds: Double
    /// What the kernel may hold for one viewer.
    package var sendBufferBytes: Int
    /// A viewer who takes nothing for so long is gone.
    package var stallSeconds: Int
    package var tls: ServerTLS
}

/// Whether viewers come over TLS, and with which certificate.
package enum ServerTLS: Sendable, Hashable {
    case off
    /// One that the agent makes at the first start and keeps.
    case selfSigned
    /// PEM files.
    case files(certificate: String, key: String)
}

/// Who may come in.
package struct AccessConfiguration: Sendable, Hashable {
    /// Whoever reaches the device needs no token; nil where that depends on the address that it listens at.
    package var open: Bool?
}

/// How streams are pushed to media services.
package struct PushConfiguration: Sendable, Hashable {
    /// Where a push goes for which no target was given; `{channel}` and `{stream}` are replaced.
    /// It may hold a key.
    package var defaultTarget: Secret?
    /// Lower the encoder's bitrate while a link carries less.
    package var adaptBitrate: Bool
    /// More than these are refused.
    package var limit: Int
    /// Certificates trusted besides the system's, in PEM.
    package var caFile: String?
    package var chunkSize: Int
    /// Put a target's query into RTMP's `tcUrl` too.
    package var queryInTcURL: Bool
    package var connectSeconds: Double
    /// From the service's first answer to its word that publishing may start.
    package var publishSeconds: Double
    /// How long the device may give no frame.
    package var noDataSeconds: Double
    /// How long a service may take no byte of what waits for it.
    package var stallSeconds: Double

    package func defaultTarget(channel: Int, stream: StreamQuality) -> String? {
        guard let defaultTarget = defaultTarget?.reveal() else { return nil }
        var text = ""
        var rest = defaultTarget[...]
        let parts = [("{channel}", String(channel)), ("{stream}", stream.rawValue)]
        outer: while let character = rest.first {
            for (name, value) in parts where rest.hasPrefix(name) {
                text += value
                rest = rest.dropFirst(name.count)
                continue outer
            }
            text.append(character)
            rest = rest.dropFirst()
        }
        return text
    }
}

/// What is recorded, where, and how much of it is kept.
package struct RecordingConfiguration: Sendable, Hashable {
    package var folder: String
    /// Nothing is recorded unless a file system of its own is mounted at the folder.
    package var requiresMount: Bool
    /// Parts of a thousand of the disk.
    package var freePerMille: Int
    /// Of all channels; a stream that is never recorded has none.
    package var plans: [RecordingPlan]
    /// By channel.
    package var limits: [Int: RetentionLimits]
}

/// Where viewers go for whom there is no place.
package struct HandOffConfiguration: Sendable, Hashable {
    /// The media service that a stream is pushed to; `{channel}` and `{stream}` are replaced.
    package var target: Secret
    /// Where viewers find it there, likewise.
    package var viewerURL: String
    /// How long a push outlives the last hand-off.
    package var lingerSeconds: Double
    /// How long the service may take to take the stream.
    package var patienceSeconds: Double
}

/// How viewers' commands are answered.
package struct SignallingConfiguration: Sendable, Hashable {
    /// Who answers user commands that the agent does not know; nil for nobody.
    package struct Hook: Sendable, Hashable {
        package enum Target: Sendable, Hashable {
            /// Started for each command, without a shell.
            case program(path: String, arguments: [String])
            /// A Unix socket, connected to for each command.
            case socket(path: String)
        }

        package var target: Target
        package var timeoutSeconds: Double
    }

    package var hook: Hook?
}

package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}
