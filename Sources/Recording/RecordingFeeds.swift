import Media
import NIOCore
import Streaming

/// The recorder's subscriptions: made for the streams it wants, given up for those it does not, tried again where a hub
/// is not there. Belongs to one event loop.
final class RecordingFeeds: @unchecked Sendable {  // all but `want` and `resume` is touched on `loop` only
    private let loop: any EventLoop
    private let inbox: RecorderInbox
    private let hubs: RecordingService.Hubs
    private var feeds: [StreamKey: RecordingFeed] = [:]

    init(loop: any EventLoop, inbox: RecorderInbox, hubs: @escaping RecordingService.Hubs) {
        self.loop = loop
        self.inbox = inbox
        self.hubs = hubs
    }

    /// To be called again from time to time, since hubs come and go. From any thread.
    func want(_ keys: Set<StreamKey>) {
        loop.execute { self.follow(keys) }
    }

    /// There is room for these again. From any thread.
    func resume(_ keys: Set<StreamKey>) {
        guard !keys.isEmpty else { return }
        loop.execute { for key in keys { self.feeds[key]?.subscription?.sinkBecameWritable() } }
    }

    private func follow(_ keys: Set<StreamKey>) {
        for (key, feed) in feeds where !keys.contains(key) || feed.hasEnded {
            feed.subscription?.cancel()
            feeds[key] = nil
        }
        for key in keys where feeds[key] == nil {
            guard let hub = hubs(key.channel, key.stream) else { continue }
            let feed = RecordingFeed(key: key, inbox: inbox)
            feeds[key] = feed
            // Frames may come during the call.
            feed.subscription = hub.subscribe(feed, on: loop, limits: .recording)
            if feed.subscription == nil { feeds[key] = nil }
        }
    }
}

extension Subscription.Limits {
    /// A card may think for seconds before it takes the next byte.
    static let recording = Subscription.Limits(bytes: 16 << 20, span: .seconds(12))
}

/// Takes one stream's frames to the recorder.
private final class RecordingFeed: FrameSink {
    let key: StreamKey
    var subscription: Subscription?
    private(set) var hasEnded = false
    private var knownDrops = 0
    private let inbox: RecorderInbox

    init(key: StreamKey, inbox: RecorderInbox) {
        self.key = key
        self.inbox = inbox
    }

    var isWritable: Bool { inbox.hasRoom(key) }

    func send(headers: StreamHeaders, timestamp: UInt32) {}

    func send(frame: StreamFrame, timestamp: UInt32) {
        let dropped = subscription?.counters.framesDropped ?? 0
        defer { knownDrops = dropped }
        // Sound can wait for the next picture.
        inbox.put(
            .frame(key, frame, lost: dropped - knownDrops),
            wakes: frame.kind == .video || frame.headers.all.format.video == nil)
    }

    func flush() {}

    func streamEnded() {
        hasEnded = true
        inbox.put(.ended(key))
    }
}
