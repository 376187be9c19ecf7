import Glibc
import NIOCore
import NIOPosix
import NIOSSL

extension LinkFailure {
    /// What an error of the connection means.
    package init(_ error: any Error, place: String) {
        switch error {
        case let failure as LinkFailure: self = failure
        case let error as IOError:
            let reason = String(cString: strerror(error.errnoCode))
            switch error.errnoCode {
            case ECONNRESET, EPIPE: self.init(.service, "\(place) closed the connection (\(reason))")
            default: self.init(.networkLost, "the connection to \(place) is lost: \(reason)")
            }
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: self.init(tls: error, place: place)
        default: self.init(.networkLost, "the connection to \(place) is lost: \(error)")
        }
    }

    /// No connection came about.
    package init(connecting error: any Error, place: String) {
        switch error {
        case let failure as LinkFailure: self = failure
        case ChannelError.connectTimeout:
            self.init(.unreachable, "\(place) does not answer: are address and port right, is it up?", isTimeout: true)
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first {
                self.init(connecting: first.error, place: place)
            } else {
                self.init(.unreachable, "the name in \(place) cannot be resolved: is it right, is there a name server?")
            }
        case let error as IOError:
            let reason = String(cString: strerror(error.errnoCode))
            self.init(.unreachable, "\(place) cannot be reached: \(reason)", isTimeout: error.errnoCode == ETIMEDOUT)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: self.init(tls: error, place: place)
        default: self.init(.unreachable, "\(place) cannot be reached: \(error)")
        }
    }

    private init(tls error: any Error, place: String) {
        if case NIOSSLError.uncleanShutdown = error {
            self.init(.service, "\(place) closed the connection")
            return
        }
        // Certificates are no older than this program; with a clock before it no date can be checked.
        let clock = time(nil) < 1_700_000_000 ? " (this machine's clock is not set)" : ""
        self.init(
            .unreachable,
            "no safe connection to \(place)\(clock), check its certificate, the name, and “caFile”: \(error)",
            pace: .refused)
    }
}
