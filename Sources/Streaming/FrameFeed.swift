/// What gives a sink its frames: a hub's subscription, or a playback. Lives on the sink's event loop.
package protocol FrameFeed: AnyObject {
    var counters: Subscription.Counters { get }
    /// Bytes of frames that are not sent yet.
    var queuedBytes: Int { get }
    /// Whether frames wait for nothing but the sink.
    var hasBacklog: Bool { get }
    /// To be called when `FrameSink.isWritable` turns true.
    func sinkBecameWritable()
    /// Nothing is sent to the sink afterwards.
    func cancel()
}
