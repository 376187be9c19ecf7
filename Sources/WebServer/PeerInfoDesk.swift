import Access
import ControlProtocol
import PeerToPeer
import Synchronization

/// Knows what a viewer needs to connect, and what of it was published last.
package final class PeerInfoDesk: Sendable {
    /// Where it is published.
    package struct Publication: Sendable {
        package var topic: String
        /// What the ticket in it allows; none is in it where this is empty.
        package var rights: Set<Right>
        /// How long that ticket holds.
        package var seconds: Int

        package init(topic: String, rights: Set<Right>, seconds: Int) {
            self.topic = topic
            self.rights = rights
            self.seconds = seconds
        }
    }

    private let gate: PeerGate
    private let needsTicket: Bool
    private let device: String
    private let stun: ICESettings.Server?
    private let publication: Publication?
    private let now: @Sendable () -> Int64
    private let ticket = Mutex<TicketReport?>(nil)

    /// - Parameters:
    ///   - needsTicket: whether viewers that find the device this way need one.
    ///   - publication: nil where there is no broker.
    ///   - now: seconds since 1970.
    package init(
        gate: PeerGate, needsTicket: Bool, device: String, stun: ICESettings.Server?, publication: Publication?,
        now: @escaping @Sendable () -> Int64
    ) {
        self.gate = gate
        self.needsTicket = needsTicket
        self.device = device
        self.stun = stun
        self.publication = publication
        self.now = now
    }

    /// As it is to be published now, with a new ticket.
    package func renew() async -> PeerInfoReport {
        var issued: TicketReport?
        if let publication, needsTicket, !publication.rights.isEmpty {
            let order = TicketOrder(
                seconds: publication.seconds, rights: publication.rights.map(\.rawValue).sorted())
            issued = try? gate.issue(order, isShared: true)
        }
        ticket.withLock { [issued] in $0 = issued }
        return report(issued)
    }

    /// As it was published last, and where.
    package var current: PeerInfoReport {
        let time = now()
        var report = report(ticket.withLock { $0.flatMap { time < $0.expires ? $0 : nil } })
        report.topic = publication?.topic
        return report
    }

    private func report(_ ticket: TicketReport?) -> PeerInfoReport {
        var report = PeerInfoReport(
            device: device, needsTicket: needsTicket,
            iceServers: stun.map { [.init(urls: ["stun:\($0)"])] } ?? [])
        report.xp2pInfo = ticket?.ticket
        report.expires = ticket?.expires
        return report
    }
}
