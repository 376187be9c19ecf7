import ControlProtocol

/// What the web server may know about the agent. Called from event loops and tasks.
package protocol AgentView: Sendable {
    /// The channels there are now. Called for each request, so it must be quick.
    func viewableChannels() -> [ViewableChannel]
    /// Privacy: there are no live streams.
    var isStandby: Bool { get }
    /// Nil while all is well, or what is wrong.
    func illness() async -> String?
    /// Everything but the viewers, which the server adds.
    func status() async -> StatusReport
}

/// What the control API does to the agent.
package protocol AgentControl: AgentView {
    /// - Returns: `isNew` is false where an equal push was there already and this request joined it.
    func openPush(_ request: PushOpenRequest) async throws(ControlError) -> (push: PushReport, isNew: Bool)
    func pushes() async -> [PushReport]
    func push(id: String) async throws(ControlError) -> PushReport
    func closePush(id: String) async throws(ControlError) -> PushReport
    /// A picture as JPEG.
    func snapshot(channel: Int, stream: CodeStream) async throws(ControlError) -> [UInt8]
    /// Where the time of a stream's last pictures went.
    func trace(channel: Int, stream: CodeStream) async throws(ControlError) -> [StageReport]
    /// From now on. The stream must be bounded: a listener that is too slow loses events.
    func events() async -> AsyncStream<EventReport>
}

/// A command that failed: the HTTP status and the body that says why.
package struct ControlError: Error, Sendable, Hashable {
    package let status: Int
    package let report: ErrorReport

    package init(status: Int, code: String, message: String) {
        self.status = status
        report = ErrorReport(code: code, message: message)
    }

    package static func badRequest(_ message: String) -> ControlError {
        ControlError(status: 400, code: "badRequest", message: message)
    }

    package static func notFound(_ message: String) -> ControlError {
        ControlError(status: 404, code: "notFound", message: message)
    }

    /// A push that was to open synchronously and did not.
    package static func pushFailed(_ cause: PushReport.Cause, timedOut: Bool) -> ControlError {
        ControlError(status: timedOut ? 504 : 502, code: cause.code.rawValue, message: cause.detail)
    }
}
