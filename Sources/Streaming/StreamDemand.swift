import Media

/// What subscribers ask of a stream's encoder, gathered from any thread and read by the encoder's.
struct StreamDemand {
    /// Key frames on request are at least this far apart. Who comes sooner after one begins with that, out of the cache, even
    /// where least may wait (`PeerViewer.limits`): nobody waits for the pause to end.
    static let keyFramePause = MediaTime.milliseconds(400)

    private(set) var isWanted = false
    /// When the last consumer left.
    private(set) var unwantedSince = MediaTime.zero
    private var keyFrameRequested = false
    private var lastKeyFrame: MediaTime?
    private var ceilings: [UInt64: Int] = [:]

    mutating func setWanted(_ wanted: Bool, now: MediaTime) {
        if isWanted, !wanted { unwantedSince = now }
        isWanted = wanted
    }

    mutating func requestKeyFrame() { keyFrameRequested = true }

    mutating func setCeiling(_ bits: Int?, for consumer: UInt64) { ceilings[consumer] = bits }

    /// Encoding goes on a while after the last consumer left.
    func isActive(now: MediaTime, linger: MediaTime) -> Bool { isWanted || now < unwantedSince + linger }

    /// True when the picture at `time` is to be a key frame.
    mutating func takeKeyFrameRequest(time: MediaTime) -> Bool {
        guard keyFrameRequested, lastKeyFrame.map({ time - $0 >= Self.keyFramePause }) ?? true else { return false }
        return true
    }

    mutating func keyFrameMade(time: MediaTime) {
        keyFrameRequested = false
        lastKeyFrame = time
    }

    /// The lowest ceiling, or `configured` where that is lower.
    func bitrate(configured: Int) -> Int { min(ceilings.values.min() ?? configured, configured) }
}
