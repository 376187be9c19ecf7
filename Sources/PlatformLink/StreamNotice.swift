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

    /// - Parameters:
    ///   - wasPublishing: a stream that never came about shows as data that are missing.
    ///   - isDatagram: so does the end of one without a connection.
    package static func closed(
        _ cause: CloseCause.Code, wasPublishing: Bool, isDatagram: Bool = false
    ) -> StreamNotice {
        let number: Cause =
            cause == .requested
            ? .clientRequest : wasPublishing && !isDatagram ? .terminalClosed : .terminalDataTimeout
        return StreamNotice(act: .closed, cause: number)
    }
}
