import ControlProtocol
import PeerToPeer

extension PeerReport {
    init(_ link: PeerLinkSnapshot) {
        let state: State =
            switch link.state {
            case .connecting: .connecting
            case .open: .open
            case .ended: .ended
            }
        self.init(
            id: link.id, state: state, remote: link.remote, localCandidate: link.localKind?.rawValue,
            remoteCandidate: link.remoteKind?.rawValue, isRelayed: link.isRelayed,
            roundTripMilliseconds: link.roundTripMilliseconds, connectMilliseconds: link.connectMilliseconds,
            ageSeconds: Double(link.ageMilliseconds) / 1000, channels: link.channels, bytesSent: link.bytesSent,
            bytesReceived: link.bytesReceived, bufferedBytes: link.bufferedBytes,
            bitsPerSecond: link.bytesPerSecond.map { $0 * 8 })
    }
}
