import ControlProtocol
import NIOHTTP1
import Signalling
import Streaming

/// Decides what becomes of a request. Called on the connection's event loop, so it must not block.
package protocol RequestRouter: Sendable {
    /// What a request asks for; nil where there is nothing of the kind here.
    func demand(of request: HTTPRequest) -> Demand?

    func route(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome

    /// What becomes of the head of a POST whose body is a voice. Nil where it is none.
    func voice(_ request: HTTPRequest, _ admission: Admission) -> VoiceStart?
}

package enum RouteOutcome: Sendable {
    case answer(HTTPAnswer)
    /// Work that takes time; cancelled when the client leaves.
    case work(@Sendable () async -> HTTPAnswer)
    /// The connection becomes a viewer of a hub.
    case viewer(LiveStart)
    /// The connection becomes a viewer of single pictures.
    case pictures(PictureStart)
    /// The connection becomes a viewer of recorded footage.
    case playback(PlaybackStart)
    /// The connection carries a file, and ends with it.
    case download(DownloadStart)
    /// The connection becomes a WebSocket on which somebody talks.
    case voice(VoiceStart)
    /// What becomes of it is not known yet; cancelled when the client leaves.
    case later(@Sendable () async -> RouteOutcome)
    /// The connection becomes a stream of events.
    case events(@Sendable () async -> AsyncStream<EventReport>)
    /// The connection becomes a stream of messages to a viewer.
    case feedback(FeedbackStart)
}

extension RouteOutcome {
    /// Work that may fail, with its failure as the answer.
    static func answering(_ work: @escaping @Sendable () async throws(ControlError) -> HTTPAnswer) -> RouteOutcome {
        .work {
            do throws(ControlError) { return try await work() } catch { return .error(error) }
        }
    }
}
