import Media

/// The newest key frame and everything since: what a new subscriber starts with. Bounded in bytes and frames; a group
/// that outgrows the bounds is let go until the next key frame.
package struct GOPCache: Sendable {
    package let maximumBytes: Int
    package let maximumFrames: Int
    package private(set) var frames: [StreamFrame] = []
    package private(set) var bytes = 0
    /// How often a group outgrew the bounds.
    package private(set) var overflows = 0
    private var waitsForKey = true

    package init(maximumBytes: Int = 8 << 20, maximumFrames: Int = 4096) {
        self.maximumBytes = maximumBytes
        self.maximumFrames = maximumFrames
    }

    package mutating func append(_ frame: StreamFrame) {
        if frame.kind == .video, frame.isKey {
            clear()
            waitsForKey = false
        }
        guard !waitsForKey else { return }
        let size = frame.tag.bodyAndTrailer.readableBytes
        guard bytes + size <= maximumBytes, frames.count < maximumFrames else {
            clear()
            overflows += 1
            return
        }
        frames.append(frame)
        bytes += size
    }

    /// What a subscriber with these limits can start with. Nothing where the group is older than what it may hold: it
    /// would begin with a delay, or with a drop; a fresh key frame serves it better.
    package func start(within limits: Subscription.Limits) -> [StreamFrame] {
        guard let first = frames.first, let last = frames.last, last.time - first.time <= limits.span,
            bytes <= limits.bytes
        else { return [] }
        return frames
    }

    package mutating func clear() {
        frames.removeAll(keepingCapacity: true)
        bytes = 0
        waitsForKey = true
    }
}
