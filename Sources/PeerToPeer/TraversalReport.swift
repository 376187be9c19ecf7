/// What was found of the ways between the device and its viewers: each server that helps with them, and the routers before
/// the device.
package struct TraversalReport: Sendable, Hashable {
    /// A server that tells the device's address.
    package struct Server: Sendable, Hashable {
        package let server: ICESettings.Server
        package let outcome: Outcome

        package enum Outcome: Sendable, Hashable {
            case unresolved(String)
            case asked(NetworkAddress, MappingTrial.Outcome)
        }
    }

    package struct Relay: Sendable, Hashable {
        package let relay: ICESettings.Relay
        package let outcome: Outcome

        package enum Outcome: Sendable, Hashable {
            case unresolved(String)
            case asked(NetworkAddress, RelayTrial.Outcome)
        }

        package var isUsable: Bool {
            if case .asked(_, .allocated) = outcome { true } else { false }
        }
    }

    package var stun: Server?
    package var relays: [Relay]
    /// Nil where there is no server to ask over UDP.
    package var nat: NATKind?

    package init(stun: Server? = nil, relays: [Relay] = [], nat: NATKind? = nil) {
        self.stun = stun
        self.relays = relays
        self.nat = nat
    }
}
