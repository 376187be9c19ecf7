import Glibc
import NIOCore

/// How soon the kernel finds out that a peer has vanished to which nothing is being sent, as to a viewer whose playback is
/// paused.
enum TCPKeepAlive {
    static let idleSeconds = 10
    static let intervalSeconds = 5
    static let attempts = 3
    /// As long as that takes. For what is sent and never acknowledged the kernel would else try for a quarter of an hour.
    static let unacknowledgedSeconds = idleSeconds + attempts * intervalSeconds
}

extension NIOBSDSocket.Option {
    static let keepIdle = Self(rawValue: TCP_KEEPIDLE)
    static let keepInterval = Self(rawValue: TCP_KEEPINTVL)
    static let keepCount = Self(rawValue: TCP_KEEPCNT)
    /// Milliseconds.
    static let userTimeout = Self(rawValue: TCP_USER_TIMEOUT)
}
