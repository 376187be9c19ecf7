import Configuration
import Diagnostics
import PeerToPeer

extension PeerDiagnosis.Examination {
    /// Asks the servers that the configuration names. Blocks for some seconds.
    init(_ configuration: AgentConfiguration) {
        let ice = configuration.peers.ice
        self.init(relayOnly: ice.relayOnly, hasBroker: configuration.rendezvous != nil)
        // Who names no servers and no broker may never have a peer, whose libraries cost memory.
        guard ice.stun != nil || !ice.relays.isEmpty || hasBroker else { return }
        do throws(PeerLibraries.Missing) { try PeerLibraries.open() } catch {
            missing = error.description
            return
        }
        let report = TraversalProbe(ice).run()
        stun = report.stun.map { .init(name: "\($0.server)", outcome: .init($0.outcome)) }
        relays = report.relays.map { .init(name: "\($0.relay)", outcome: .init($0.outcome)) }
        nat = report.nat.map(PeerDiagnosis.NAT.init)
    }
}

extension PeerDiagnosis.Outcome {
    fileprivate init(_ outcome: TraversalReport.Server.Outcome) {
        self =
            switch outcome {
            case .unresolved(let reason): .unresolved(reason)
            case .asked(_, .answered(let address, let milliseconds)):
                .answered("\(address)", milliseconds: milliseconds)
            case .asked(_, .refused(let code, let reason)): .refused(code: code, reason: reason)
            case .asked(_, .silent): .silent
            case .asked(_, .unsendable(let reason)): .unreachable(reason)
            }
    }

    fileprivate init(_ outcome: TraversalReport.Relay.Outcome) {
        self =
            switch outcome {
            case .unresolved(let reason): .unresolved(reason)
            case .asked(_, .allocated(let address, let milliseconds)):
                .answered("\(address)", milliseconds: milliseconds)
            case .asked(_, .refused(let code, let reason)): .refused(code: code, reason: reason)
            case .asked(_, .wrongCredentials): .wrongCredentials
            case .asked(_, .nonsense(let what)): .nonsense(what)
            case .asked(_, .silent): .silent
            case .asked(_, .unreachable(let reason)): .unreachable(reason)
            }
    }
}

extension PeerDiagnosis.NAT {
    fileprivate init(_ kind: NATKind) {
        self =
            switch kind {
            case .none: .none
            case .endpointIndependent: .endpointIndependent
            case .addressDependent: .addressDependent
            case .unknown: .unknown
            case .noAnswer: .noAnswer
            }
    }
}
