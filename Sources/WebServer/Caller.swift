import Access
import Glibc
import NIOCore

/// Where a request comes from. Every transport must say it; what follows from it is for `AccessGate` to know.
package enum Caller: Sendable, Hashable {
    /// Somebody who may open the control socket.
    case owner
    /// Whoever the broker lets command the device.
    case broker
    /// The viewer at the other end of a link, with what it was let in for.
    case peer(Grant)
    /// Somebody on the network, who may show a token or a ticket.
    case network(GuessGuard.Address)

    /// Of a connection that came in over TCP.
    package init(remote address: SocketAddress?) { self = .network(GuessGuard.Address(address)) }
}

extension GuessGuard.Address {
    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self = .v4(UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address):
            var host = address.address.sin6_addr
            self = withUnsafeBytes(of: &host) { Self(v6: Array($0)) }
        case .unixDomainSocket, nil: self = .other
        }
    }

    /// One that is an IPv4 address in other clothes (RFC 4291, 2.5.5.2) is that.
    private init(v6 bytes: [UInt8]) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11].allSatisfy { $0 == 0xFF }
        self = isMapped ? .v4(UInt32(truncatingIfNeeded: number(bytes[12...]))) : .v6(number(bytes[..<8]))
    }
}
