import Media
import Streaming

/// A push as it was at one moment, for people and programs that look at it. Holds no secret.
package struct PushSnapshot: Sendable, Hashable {
    package var id: String
    package var channel: Int
    package var quality: StreamQuality
    package var tracks: TrackSelection
    /// Redacted.
    package var target: String
    package var state: PushSession.State
    /// How long it has been in that state.
    package var sinceSeconds: Double
    package var attempts: Int
    /// Over all connections of this push.
    package var bytesSent: Int
    package var framesSent: Int
    package var framesDropped: Int
    package var retryInSeconds: Double?
    package var cause: CloseCause?
    /// The platform that commanded it.
    package var owner: PushOwner?
    package var isPaused: Bool
}

/// A change of state.
package struct PushEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case opened = "push.opened"
        case publishing = "push.publishing"
        case waiting = "push.waiting"
        case closed = "push.closed"
    }

    package var kind: Kind
    package var push: PushSnapshot
}

/// Why a command about pushes was not carried out.
package enum PushError: Error, Sendable, Hashable, CustomStringConvertible {
    case badTarget(PushTarget.ParseError)
    /// No target was named and none is configured.
    case noTarget
    case noSuchStream(channel: Int, quality: StreamQuality)
    case noSuchPush(String)
    case tooManyPushes(limit: Int)
    case shuttingDown
    /// The push did not come about, or was closed before it did.
    case failed(CloseCause, isTimeout: Bool)

    package var description: String {
        switch self {
        case .badTarget(let error): "\(error)"
        case .noTarget: "no target was named, and the configuration has no “defaultTarget”"
        case .noSuchStream(let channel, let quality): "there is no \(quality.rawValue) stream of channel \(channel)"
        case .noSuchPush(let id): "there is no push \(id)"
        case .tooManyPushes(let limit): "there are \(limit) pushes already, close one first"
        case .shuttingDown: "the agent is stopping"
        case .failed(let cause, _): cause.detail
        }
    }
}
