import Glibc
import NIOCore

/// How soon the kernel finds out that a peer has vanished to which nothing is being sent, as to a viewer whose playback is
/// paused.
enum TCPKeepAlive {
    static let idleSeconds = 10
    static let intervalSeconds = 5
    static let attempts = 3
}

extension NIOBSDSocket.Option {
    static let keepIdle = Self(rawValue: TCP_KEEPIDLE)
    static let keepInterval = Self(rawValue: TCP_KEEPINTVL)
    static let keepCount = Self(rawValue: TCP_KEEPCNT)
}
