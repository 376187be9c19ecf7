import Publishing

/// What a platform tells its viewers about a stream, seen from here: the notifications that its own service would send
/// (`failed`, `ready`, `closed` with a cause).
package struct StreamNotice: Sendable, Hashable {
    package enum Act: String, Sendable, Hashable {
        case failed, ready, closed
    }

    /// `closeCause` of a platform's notification.
    package enum Cause: Int, Sendable, Hashable {
        case clientRequest = 1
        case terminalClosed = 2
        case terminalDataTimeout = 6
        case commandFailed = 9

        package var name: String {
            switch self {
            case .clientRequest: "clientReq"
            case .terminalClosed: "termStrmClose"
            case .terminalDataTimeout: "termDataTimeout"
            case .commandFailed: "termCmdFailed"
            }
        }
    }

    package let act: Act
    package let cause: Cause?

    package static let ready = StreamNotice(act: .ready, cause: nil)
    /// The command was answered with another result than 0.
    package static let refused = StreamNotice(act: .failed, cause: .commandFailed)

    /// - Parameter wasPublishing: a stream that never came about shows as data that are missing.
    package static func closed(_ cause: CloseCause.Code, wasPublishing: Bool) -> StreamNotice {
        let number: Cause =
            switch cause {
            case .requested: .clientRequest
            case .service, .networkLost, .shutdown, .finished: wasPublishing ? .terminalClosed : .terminalDataTimeout
            case .unreachable, .refused, .noData: wasPublishing ? .terminalClosed : .terminalDataTimeout
            }
        return StreamNotice(act: .closed, cause: number)
    }
}
