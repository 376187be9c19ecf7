import NIOCore
import PlatformProtocol
import Streaming

/// What a push has besides the values of its request.
package struct PushAttachment: Sendable {
    /// On the push's event loop.
    package typealias PacketHandler = @Sendable (JT1078Reader.Packet) -> Void
    /// Makes what feeds a push, on its event loop, when the service takes the stream; nil where there is nothing.
    package typealias Feed = @Sendable (any FrameSink, any EventLoop) -> (any FrameFeed)?

    /// Nil for the live stream of the request.
    package var feed: Feed?
    /// Packets that come back on the connection.
    package var onPacket: PacketHandler?

    package init(feed: Feed? = nil, onPacket: PacketHandler? = nil) {
        self.feed = feed
        self.onPacket = onPacket
    }
}
