import Signalling
import Streaming

/// A live stream that was found, for a viewer.
package struct LiveStart: Sendable {
    let request: LiveRequest
    let tracks: TrackSelection
    let hub: StreamHub
    let viewer: ViewerIdentity

    var place: VisitorTable.Place {
        .init(visitor: viewer.visitor, channel: request.channel, kind: tracks == .audio ? .liveAudio : .live)
    }
}

/// What becomes of a connection that listens for messages: for whom, and where they come from.
package struct FeedbackStart: Sendable {
    let viewer: ViewerIdentity
    let desk: FeedbackDesk
    let visitors: VisitorTable
}
