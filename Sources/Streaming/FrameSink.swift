/// Where a subscription's frames go: a viewer's connection, a push, a file. Called on the subscription's event loop
/// only, never under a lock.
package protocol FrameSink: AnyObject {
    /// False while the transport has as many unsent bytes as it should hold; frames then wait in the subscription.
    /// When it turns true again, the sink calls `Subscription.sinkBecameWritable()`.
    var isWritable: Bool { get }

    /// New parameter sets, before the first frame and wherever they change. `timestamp` as in `send(frame:)`.
    func send(headers: StreamHeaders, timestamp: UInt32)

    /// A frame, in order, at milliseconds from the subscription's first frame. Strictly increasing for each track.
    func send(frame: StreamFrame, timestamp: UInt32)

    /// After one or more sends: time to put the bytes on the wire.
    func flush()

    /// The hub is gone, or the footage is at its end; nothing follows.
    func streamEnded()

    /// Footage cannot be read on; nothing follows.
    func streamBroke()
}

extension FrameSink {
    /// Sinks of live streams need not tell the one from the other.
    package func streamBroke() { streamEnded() }
}
