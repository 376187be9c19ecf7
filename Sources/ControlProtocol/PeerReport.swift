/// A viewer's peer-to-peer link, with all that runs over it.
package struct PeerReport: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case connecting, open, ended
    }

    package var id: UInt64
    package var state: State
    /// Address and port of the way that is in use; empty before there is one.
    package var remote: String
    /// How each end of the way was found: host, srflx, prflx or relay.
    package var localCandidate: String?
    package var remoteCandidate: String?
    package var isRelayed: Bool
    package var roundTripMilliseconds: Int?
    /// From the offer to the open link.
    package var connectMilliseconds: Int?
    package var ageSeconds: Double
    /// Requests under way.
    package var channels: Int
    package var bytesSent: Int
    package var bytesReceived: Int
    /// Bytes that the peer has not acknowledged.
    package var bufferedBytes: Int
    /// What the way carries, in bits a second; nil as long as it was never full.
    package var bitsPerSecond: Int?

    package init(
        id: UInt64, state: State, remote: String, localCandidate: String?, remoteCandidate: String?, isRelayed: Bool,
        roundTripMilliseconds: Int?, connectMilliseconds: Int?, ageSeconds: Double, channels: Int, bytesSent: Int,
        bytesReceived: Int, bufferedBytes: Int, bitsPerSecond: Int?
    ) {
        self.id = id
        self.state = state
        self.remote = remote
        self.localCandidate = localCandidate
        self.remoteCandidate = remoteCandidate
        self.isRelayed = isRelayed
        self.roundTripMilliseconds = roundTripMilliseconds
        self.connectMilliseconds = connectMilliseconds
        self.ageSeconds = ageSeconds
        self.channels = channels
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.bufferedBytes = bufferedBytes
        self.bitsPerSecond = bitsPerSecond
    }
}
