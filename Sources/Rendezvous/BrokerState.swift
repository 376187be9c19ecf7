/// How the connection to the broker is.
package enum BrokerState: Sendable, Hashable, CustomStringConvertible {
    case connecting
    case connected
    /// Tried again later.
    case away(String)
    case stopped

    package var description: String {
        switch self {
        case .connecting: "connecting"
        case .connected: "connected"
        case .away(let reason): "away: \(reason)"
        case .stopped: "stopped"
        }
    }
}
