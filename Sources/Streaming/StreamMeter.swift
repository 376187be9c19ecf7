import Media

/// Numbers about one stream for people who look at it.
package struct StreamStatistics: Sendable {
    package var videoFrames: Int
    package var audioFrames: Int
    package var keyFrames: Int
    package var bytes: Int
    /// Over the last whole second of media time.
    package var frameRate: Double
    package var bitrate: Int
    package var subscribers: Int
    package var cachedBytes: Int
}

/// Counts frames and measures rates over seconds of media time.
struct StreamMeter: Sendable {
    private var videoFrames = 0
    private var audioFrames = 0
    private var keyFrames = 0
    private var bytes = 0
    private var windowStart: MediaTime?
    private var windowFrames = 0
    private var windowBytes = 0
    private var frameRate = 0.0
    private var bitrate = 0

    mutating func count(_ frame: StreamFrame) {
        let size = frame.tag.bodyLength
        bytes += size
        windowBytes += size
        switch frame.kind {
        case .video:
            videoFrames += 1
            if frame.isKey { keyFrames += 1 }
        case .audio: audioFrames += 1
        }
        guard let start = windowStart else {
            windowStart = frame.time
            return
        }
        let elapsed = frame.time - start
        if elapsed >= .seconds(1) {
            frameRate = Double(windowFrames) / elapsed.seconds
            bitrate = Int(Double(windowBytes) * 8 / elapsed.seconds)
            (windowStart, windowFrames, windowBytes) = (frame.time, 0, 0)
        }
        if frame.kind == .video { windowFrames += 1 }
    }

    func statistics(subscribers: Int, cachedBytes: Int) -> StreamStatistics {
        StreamStatistics(
            videoFrames: videoFrames, audioFrames: audioFrames, keyFrames: keyFrames, bytes: bytes,
            frameRate: frameRate, bitrate: bitrate, subscribers: subscribers, cachedBytes: cachedBytes)
    }
}
