/// Somebody who watches or downloads.
package struct ViewerReport: Codable, Sendable, Hashable {
    package enum Transport: String, Codable, Sendable, CaseIterable {
        case http, websocket
        /// A data channel of a peer.
        case peer
    }

    package enum Activity: String, Codable, Sendable, CaseIterable {
        case live, playback, download
        case liveAudio = "live-audio"
        case livePictures = "live-mjpg"
        case playbackAudio = "playback-audio"
    }

    package var id: UInt64
    /// The number by which it names itself, or that of its link; nil where it has none.
    package var visitor: Int64?
    /// What kind of viewer it says it is.
    package var requester: String?
    package var activity: Activity
    package var channel: Int
    package var stream: CodeStream
    package var transport: Transport
    /// Address and port.
    package var remote: String
    package var connectedSeconds: Double
    package var bytesSent: Int
    package var framesSent: Int
    package var framesDropped: Int
    package var queuedBytes: Int

    package init(
        id: UInt64, visitor: Int64? = nil, requester: String? = nil, activity: Activity, channel: Int,
        stream: CodeStream, transport: Transport, remote: String,
        connectedSeconds: Double, bytesSent: Int, framesSent: Int, framesDropped: Int, queuedBytes: Int
    ) {
        self.id = id
        self.visitor = visitor
        self.requester = requester
        self.activity = activity
        self.channel = channel
        self.stream = stream
        self.transport = transport
        self.remote = remote
        self.connectedSeconds = connectedSeconds
        self.bytesSent = bytesSent
        self.framesSent = framesSent
        self.framesDropped = framesDropped
        self.queuedBytes = queuedBytes
    }
}
