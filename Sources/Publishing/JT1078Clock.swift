import Media

/// Lays frames on a connection's time line, which begins at 0 and never goes back, whatever the frames' own line does:
/// live ones follow the monotonic clock, those of a playback the footage, also backwards.
struct JT1078Clock {
    /// Sound and pictures of one moment may come this far apart.
    static let tolerance = MediaTime.seconds(1)
    private static let step = MediaTime.milliseconds(40)

    private var offset: MediaTime?
    private var latest = MediaTime.zero
    private var lastStamps: (video: Int64, audio: Int64) = (-1, -1)

    /// Milliseconds.
    mutating func stamp(_ kind: MediaKind, _ time: MediaTime) -> UInt64 {
        var offset = self.offset ?? time
        if time - offset < latest - Self.tolerance { offset = time - latest - Self.step }
        self.offset = offset
        latest = max(latest, time - offset)
        // Sound from just before the first picture.
        let exact = max((time - offset).milliseconds, 0)
        let stamp: Int64
        switch kind {
        case .video:
            stamp = max(exact, lastStamps.video + 1)
            lastStamps.video = stamp
        case .audio:
            stamp = max(exact, lastStamps.audio + 1)
            lastStamps.audio = stamp
        }
        return UInt64(stamp)
    }
}
