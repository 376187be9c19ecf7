/// A push to a media service.
package struct PushReport: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case connecting, publishing
        /// For the next attempt; see `retryInSeconds`.
        case waiting
        case closed
    }

    /// Why a push ended, or why it waits for its next attempt.
    package struct Cause: Codable, Sendable, Hashable {
        package var code: CauseCode
        package var detail: String

        package init(code: CauseCode, detail: String) {
            self.code = code
            self.detail = detail
        }
    }

    package enum CauseCode: String, Codable, Sendable, CaseIterable {
        /// Closed on command.
        case requested
        /// Closed by the media service.
        case service
        case unreachable
        /// The service does not want this stream, or not from us.
        case refused
        case networkLost
        /// The device gave no pictures or sound.
        case noData
        /// The agent stops.
        case shutdown
        /// What was to be sent has been sent.
        case finished
    }

    package var id: String
    package var channel: Int
    package var codeStream: CodeStream
    package var dataType: DataType
    /// Without the stream key and the query.
    package var target: String
    package var state: State
    /// Since the last change of `state`.
    package var sinceSeconds: Double
    package var attempts: Int
    package var bytesSent: Int
    package var framesSent: Int
    package var framesDropped: Int
    package var retryInSeconds: Double?
    package var cause: Cause?
    /// The platform that commanded it; nil for commands of this machine.
    package var owner: String?
    /// True while its platform wants nothing sent.
    package var paused: Bool?

    package init(
        id: String, channel: Int, codeStream: CodeStream, dataType: DataType, target: String, state: State,
        sinceSeconds: Double, attempts: Int, bytesSent: Int, framesSent: Int, framesDropped: Int,
        retryInSeconds: Double? = nil, cause: Cause? = nil, owner: String? = nil,
        paused: Bool? = nil
    ) {
        self.id = id
        self.channel = channel
        self.codeStream = codeStream
        self.dataType = dataType
        self.target = target
        self.state = state
        self.sinceSeconds = sinceSeconds
        self.attempts = attempts
        self.bytesSent = bytesSent
        self.framesSent = framesSent
        self.framesDropped = framesDropped
        self.retryInSeconds = retryInSeconds
        self.cause = cause
        self.owner = owner
        self.paused = paused
    }
}
