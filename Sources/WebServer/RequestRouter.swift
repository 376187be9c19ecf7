import ControlProtocol
import NIOHTTP1
import Signalling
import Streaming

/// Decides what becomes of a request. Called on the connection's event loop, so it must not block.
package protocol RequestRouter: Sendable {
    func route(_ request: HTTPRequest) -> RouteOutcome

    /// Asked first, with the head of a POST alone: whether its body is a voice, which is heard as it comes. Nil where it
    /// is not.
    func voice(_ request: HTTPRequest) -> VoiceStart?
}

extension RequestRouter {
    package func voice(_ request: HTTPRequest) -> VoiceStart? { nil }
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
