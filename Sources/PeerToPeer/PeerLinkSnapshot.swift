import NIOCore

/// A link as it is at one moment.
package struct PeerLinkSnapshot: Sendable, Hashable {
    package var id: UInt64
    package var state: PeerLink.State
    package var remote: String
    package var localKind: ICECandidate.Kind?
    package var remoteKind: ICECandidate.Kind?
    package var roundTripMilliseconds: Int?
    package var connectMilliseconds: Int?
    package var ageMilliseconds: Int
    package var channels: Int
    package var bytesSent: Int
    package var bytesReceived: Int
    package var bufferedBytes: Int
    /// What the way carries; nil as long as it was never full.
    package var bytesPerSecond: Int?

    /// Whether a relay carries it.
    package var isRelayed: Bool { localKind == .relay || remoteKind == .relay }

    /// On the peer loop.
    init(_ link: PeerLink, now: NIODeadline) {
        id = link.id
        state = link.state
        remote = link.remote
        localKind = link.pair?.local
        remoteKind = link.pair?.remote
        roundTripMilliseconds = link.roundTripMilliseconds
        connectMilliseconds = link.connectTime.map { Int($0.nanoseconds / 1_000_000) }
        ageMilliseconds = Int((now - link.createdAt).nanoseconds / 1_000_000)
        channels = link.channelCount
        bytesSent = link.bytesSent
        bytesReceived = link.bytesReceived
        bufferedBytes = link.bufferedBytes
        bytesPerSecond = link.rate.map { Int($0) }
    }
}
