/// What the routers between a device and the internet make of its addresses, as far as viewers feel it.
package enum NATKind: Sendable, Hashable {
    /// Servers see the device's own address.
    case none
    /// The same address and port for everybody ("endpoint-independent mapping", RFC 4787): others can be told it.
    case endpointIndependent
    /// Another one for each whom the device speaks to ("address-dependent mapping"): nobody can be told where to answer.
    case addressDependent
    /// There is one, of a kind that a single server cannot tell.
    case unknown
    /// No server answered.
    case noAnswer

    /// - Parameters:
    ///   - answers: of servers that one socket asked.
    ///   - port: of that socket.
    ///   - own: the device's addresses.
    package init(_ answers: [MappingTrial.Answer], port: UInt16, own: Set<[UInt8]>) {
        let seen = answers.compactMap { answer -> (server: NetworkAddress, mapped: NetworkAddress)? in
            guard case .answered(let mapped, _) = answer.outcome else { return nil }
            return (answer.server, mapped)
        }
        let mapped = Set(seen.map(\.mapped))
        guard let first = mapped.first else {
            self = .noAnswer
            return
        }
        if mapped.count > 1 {
            self = .addressDependent
        } else if own.contains(first.bytes), first.port == port {
            self = .none
        } else {
            self = Set(seen.map(\.server.bytes)).count > 1 ? .endpointIndependent : .unknown
        }
    }
}
