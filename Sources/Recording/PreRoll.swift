import DequeModule
import Media
import Streaming

/// The last seconds of a stream, in whole groups of pictures, for a recording that is yet to be commanded.
struct PreRoll {
    /// Memory for one stream: 16 s at 8 Mbit/s.
    static let maximumBytes = 16 << 20

    let span: MediaTime
    private(set) var frames: Deque<StreamFrame> = []
    private(set) var bytes = 0
    /// Times of the frames that decoding can start at.
    private var keys: Deque<MediaTime> = []

    init(span: MediaTime) { self.span = span }

    mutating func append(_ frame: StreamFrame) {
        let isStart = frame.isStart
        guard isStart || !frames.isEmpty else { return }
        if isStart { keys.append(frame.time) }
        frames.append(frame)
        bytes += frame.tag.bodyLength
        // The oldest group goes once the next one reaches back far enough.
        while keys.count > 1, frame.time - keys[1] >= span || bytes > Self.maximumBytes { dropGroup() }
        if bytes > Self.maximumBytes { clear() }
    }

    private mutating func dropGroup() {
        keys.removeFirst()
        guard let next = keys.first else { return }
        while let first = frames.first, !(first.isStart && first.time == next) {
            frames.removeFirst()
            bytes -= first.tag.bodyLength
        }
    }

    mutating func clear() { self = PreRoll(span: span) }
}

extension StreamFrame {
    /// Decoding can start here: at a key picture, or, where there are none, at any sound.
    var isStart: Bool { headers.all.format.video == nil || (kind == .video && isKey) }
}
