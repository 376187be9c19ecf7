import NIOCore
import PlatformProtocol
import Streaming

/// What a push has besides the values of its request.
package struct PushAttachment: Sendable {
    /// On the push's event loop.
    package typealias PacketHandler = @Sendable (JT1078Reader.Packet) -> Void
    /// Makes what feeds a push, on its event loop, when the service takes the stream; nil where there is nothing more.
    package typealias FeedMaker = @Sendable (any FrameSink, any EventLoop) -> (any FrameFeed)?

    package enum Source: Sendable {
        /// The hub that the request names.
        case live
        /// Footage.
        case footage(FeedMaker)
        /// Nothing but one packet of silence, by which a platform knows whose connection this is.
        case greeting
    }

    package var source: Source
    /// Packets that come back on the connection.
    package var onPacket: PacketHandler?

    package init(_ source: Source = .live, onPacket: PacketHandler? = nil) {
        self.source = source
        self.onPacket = onPacket
    }

    var isLive: Bool { if case .live = source { true } else { false } }
}
