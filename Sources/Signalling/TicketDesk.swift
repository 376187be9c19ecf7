import PeerToPeer
import Synchronization

/// Issues tickets, and takes those that come. Each belongs to the certificate that brings it first, so one that was
/// overheard is worth nothing; who brought it may connect again with it, a few times, with a new session each.
package final class TicketDesk: Sendable {
    package typealias Signature = Ticket.Signature

    /// How long a ticket may hold, in seconds.
    package static let lifetimes: ClosedRange<Int64> = 1...86_400
    /// Links that can be made with one ticket.
    package static let maximumLinks = 16
    /// Tickets that are remembered until they expire; more are refused.
    package static let maximumTickets = 4096

    private struct Use {
        let expires: Int64
        let certificate: String
        var sessions: Set<String>
    }

    private let device: String
    private let sign: Signature
    private let now: @Sendable () -> Int64
    private let uses = Mutex<[String: Use]>([:])

    /// - Parameters:
    ///   - device: the id of this device.
    ///   - now: seconds since 1970.
    package init(device: String, now: @escaping @Sendable () -> Int64, sign: @escaping Signature) {
        self.device = device
        self.now = now
        self.sign = sign
    }

    /// - Parameter seconds: how long it holds; brought into `lifetimes`.
    package func issue(_ grant: PeerGrant, seconds: Int64) -> (text: String, expires: Int64) {
        let seconds = min(max(seconds, Self.lifetimes.lowerBound), Self.lifetimes.upperBound)
        let ticket = Ticket(id: Self.makeID(), device: device, expires: now() + seconds, grant: grant)
        return (ticket.text(sign), ticket.expires)
    }

    /// - Parameters:
    ///   - certificate: the fingerprint of the certificate of who brings it.
    ///   - session: what no other offer has, such as its ICE name and password.
    package func admit(_ text: String?, certificate: String, session: String) throws(TicketRefusal) -> PeerGrant {
        guard let text else { throw .missing }
        let ticket = try Ticket(text, sign)
        guard ticket.device == device else { throw .otherDevice }
        let time = now()
        guard time < ticket.expires else { throw .expired }
        guard ticket.expires - time <= Self.lifetimes.upperBound else { throw .tooLong }
        let refusal = uses.withLock { uses -> TicketRefusal? in
            if var use = uses[ticket.id] {
                guard use.certificate == certificate, use.sessions.count < Self.maximumLinks,
                    use.sessions.insert(session).inserted
                else { return .replayed }
                uses[ticket.id] = use
                return nil
            }
            if uses.count >= Self.maximumTickets { uses = uses.filter { time < $0.value.expires } }
            guard uses.count < Self.maximumTickets else { return .tooMany }
            uses[ticket.id] = Use(expires: ticket.expires, certificate: certificate, sessions: [session])
            return nil
        }
        if let refusal { throw refusal }
        return ticket.grant
    }

    /// 128 random bits.
    private static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
