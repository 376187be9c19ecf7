/// Why a push, or one of its connections, ended.
package struct CloseCause: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// On command.
        case requested
        /// The service ended the stream or closed the connection.
        case service
        /// No connection came about, or what answers is no media service.
        case unreachable
        /// The service, or the check of its certificate, said no.
        case refused
        /// The connection stood and carries nothing any more.
        case networkLost
        /// The device gave no picture or sound.
        case noData
        /// The agent stops.
        case shutdown
        /// What was to be sent has been sent.
        case finished
    }

    package let code: Code
    /// For people: what was being done, with which address, and what to do.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// How one connection of a push failed, and what that means for the next one.
package struct LinkFailure: Error, Sendable, Hashable {
    package let cause: CloseCause
    package let pace: Backoff.Pace
    /// A deadline passed, as opposed to an answer or an error.
    package let isTimeout: Bool

    package init(_ code: CloseCause.Code, _ detail: String, pace: Backoff.Pace = .normal, isTimeout: Bool = false) {
        cause = CloseCause(code, detail)
        self.pace = pace
        self.isTimeout = isTimeout
    }
}
