import Recording
import Synchronization

/// What each visitor is at: one playback of a channel, and one download. What comes later takes the place of what was
/// there before.
package final class VisitorTable: Sendable {
    private struct Place: Hashable {
        let visitor: VisitorID
        let channel: Int
    }

    private struct State {
        var playbacks: [Place: any PlaybackControl] = [:]
        var downloads: [VisitorID: any Cancellable] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The visitor's running playback of this channel.
    package func playback(of visitor: VisitorID, channel: Int) -> (any PlaybackControl)? {
        state.withLock { $0.playbacks[Place(visitor: visitor, channel: channel)] }
    }

    /// Ends what the visitor played of this channel before, without waiting for it.
    package func begin(_ playback: any PlaybackControl, of visitor: VisitorID, channel: Int) {
        let old = state.withLock { state in
            let place = Place(visitor: visitor, channel: channel)
            defer { state.playbacks[place] = playback }
            return state.playbacks[place]
        }
        old?.stop()
    }

    /// Does nothing where another has taken its place.
    package func end(_ playback: any PlaybackControl, of visitor: VisitorID, channel: Int) {
        state.withLock { state in
            let place = Place(visitor: visitor, channel: channel)
            if state.playbacks[place] === playback { state.playbacks[place] = nil }
        }
    }

    package func begin(_ download: any Cancellable, of visitor: VisitorID) {
        let old = state.withLock { state in
            defer { state.downloads[visitor] = download }
            return state.downloads[visitor]
        }
        old?.stop()
    }

    /// Whatever the visitor was downloading, without waiting for it.
    package func endDownload(of visitor: VisitorID) {
        state.withLock { $0.downloads.removeValue(forKey: visitor) }?.stop()
    }

    package func end(_ download: any Cancellable, of visitor: VisitorID) {
        state.withLock { state in
            if state.downloads[visitor] === download { state.downloads[visitor] = nil }
        }
    }
}

/// Something under way that can be ended from any thread, without waiting.
package protocol Cancellable: AnyObject, Sendable {
    func stop()
}
