import Media

/// A playback under way, as commands reach it. May be called from any thread.
package protocol PlaybackControl: AnyObject, Sendable {
    /// What was asked for, in milliseconds since 1970, UTC.
    var range: Range<Int64> { get }
    /// Orders take effect one after the other.
    /// - Returns: how far it is then; nil where the playback has ended.
    func perform(_ order: PlaybackOrder) async -> PlaybackProgress?
    /// Ends it, without waiting for that.
    func stop()
}

/// What a viewer may ask of its playback.
package enum PlaybackOrder: Sendable, Hashable {
    case pause
    case resume
    /// From the beginning of the range that was asked for. Beyond its ends means the ends.
    case seek(MediaTime)
    case setSpeed(PlaybackSpeed)
    /// Only to know how far it is.
    case report
}

/// How fast, and which of the pictures. Sound goes with normal speed only.
package enum PlaybackSpeed: Sendable, Hashable {
    case normal
    /// Every n-th key picture, four times n as fast.
    case keyPictures(every: Int)
    /// So long from picture to picture.
    case pictureInterval(MediaTime)
    /// All pictures, so many times as fast.
    case times(Double)
    /// One key picture for each seek, at its target or before it.
    case still
}

package struct PlaybackProgress: Sendable, Hashable {
    /// From the beginning of the range that was asked for.
    package var position: MediaTime
    package var isPaused: Bool

    package init(position: MediaTime, isPaused: Bool) {
        self.position = position
        self.isPaused = isPaused
    }
}
