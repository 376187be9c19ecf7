import Access

/// What bytes can be asked for.
package enum StreamAction: String, Sendable, Hashable, CaseIterable {
    case live
    case liveAudio = "live-audio"
    case livePictures = "live-mjpg"
    case playback
    case playbackAudio = "playback-audio"
    case download

    package var right: Right {
        switch self {
        case .live, .liveAudio, .livePictures: .live
        case .playback, .playbackAudio: .playback
        case .download: .download
        }
    }

    /// Nil where the query names none.
    package init?(_ query: RequestQuery) {
        guard let action = (query["action"]?.lowercased()).flatMap(StreamAction.init(rawValue:)) else { return nil }
        self = action
    }
}
