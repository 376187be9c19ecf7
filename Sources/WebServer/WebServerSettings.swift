import Media
import Streaming

/// The web server for viewers.
package struct WebServerSettings: Sendable, Hashable {
    /// The loopback interface only, where nobody needs a token.
    package var address = "127.0.0.1"
    /// 0 lets the system choose.
    package var port = 8080
    package var viewerLimit = 64
    /// Of one channel; nil for as many as the device takes.
    package var channelViewerLimit: Int?
    /// Origins of other web sites whose pages may play the streams, such as "https://example.org"; "*" means all.
    /// The agent's own page is always allowed.
    package var allowedOrigins: [String] = []
    /// What may wait for one slow viewer before frames are dropped: bytes, and time in milliseconds.
    package var viewerQueueBytes = 4 << 20
    package var viewerQueueMilliseconds = 2000
    /// Bytes the kernel may hold for one viewer. Small, so that latency does not hide there.
    package var sendBufferBytes = 256 << 10
    /// A viewer to whom nothing could be sent for this long is gone. Seconds.
    package var stallSeconds = 15
    /// For a whole request to arrive, and between two on one connection. Seconds.
    package var requestSeconds = 10
    /// WebSocket viewers are asked for a sign of life this often, and are gone after two unanswered ones. Seconds.
    package var pingSeconds = 15

    package init() {}

    /// Connections at once, of viewers and of all others; past it requests are answered with 503.
    package var connectionLimit: Int { viewerLimit + Self.spareConnections }
    static let spareConnections = 64

    package var subscriptionLimits: Subscription.Limits {
        Subscription.Limits(bytes: viewerQueueBytes, span: .milliseconds(Int64(viewerQueueMilliseconds)))
    }
}
