import Access
import Signalling

/// Everything that can be asked for, over whatever transport. Each says what right it takes; a router serves nothing that
/// is none of these. `Documentation/Security.md` has a row for each.
package enum Operation: Sendable, Hashable {
    case viewer(ViewerOperation)
    case stream(StreamAction)
    case inner(InnerCommandName)
    case user(UserTopic)
    case control(ControlOperation)

    package static var all: [Operation] {
        ViewerOperation.allCases.map { .viewer($0) } + StreamAction.allCases.map { .stream($0) }
            + InnerCommandName.allCases.map { .inner($0) } + UserTopic.allCases.map { .user($0) }
            + ControlOperation.allCases.map { .control($0) }
    }

    package var requirement: Requirement {
        switch self {
        case .viewer(let operation): operation.requirement
        case .stream(let action): .right(action.right)
        case .inner(let command): .right(command.right)
        case .user(let topic): .right(topic.right)
        case .control: .right(.admin)
        }
    }

    /// Such as "stream live", as the table in the documentation has it.
    package var name: String {
        switch self {
        case .viewer(let operation): "viewer \(operation.rawValue)"
        case .stream(let action): "stream \(action.rawValue)"
        case .inner(let command): "inner \(command.rawValue)"
        case .user(.integrator): "user (hook)"
        case .user(let topic): "user \(topic.rawValue)"
        case .control(let operation): "control \(operation.rawValue)"
        }
    }

    /// Whether it begins something that goes on, and so takes memory and files for long.
    package var isLasting: Bool {
        switch self {
        case .stream, .viewer(.talk), .viewer(.offer), .viewer(.feedback), .control(.talk): true
        case .viewer, .inner, .user, .control: false
        }
    }

    /// Whether pages of other sites get it too.
    var isForAnyOrigin: Bool {
        switch self {
        case .viewer(.page), .viewer(.health), .viewer(.preflight): true
        case .viewer, .stream, .inner, .user, .control: false
        }
    }
}

/// What viewers and monitoring find beside streams and commands.
package enum ViewerOperation: String, Sendable, Hashable, CaseIterable {
    case page
    case health
    /// OPTIONS of any address.
    case preflight
    case channels
    case metrics
    case feedback
    case talk
    /// A ticket for addresses, made with a token.
    case ticket
    /// An offer of a peer-to-peer link. It may bring a ticket of its own, which `PeerGate` looks at.
    case offer
    /// Candidates for a link, and its end. The link's name is 128 random bits, which only its viewer was told.
    case link
    /// Something that there is not, at an address that there is.
    case unknown

    var requirement: Requirement {
        switch self {
        case .page, .health, .preflight, .link: .nothing
        case .channels, .feedback, .ticket, .offer, .unknown: .credential
        case .metrics: .right(.metrics)
        case .talk: .right(.talk)
        }
    }
}

/// The resources of the control API.
package enum ControlOperation: String, Sendable, Hashable, CaseIterable {
    case status, metrics, channels, viewers, peers, pushes, files, platforms, feedback, talk, events, access, doctor
    case tickets = "peers/tickets"
    case peerInfo = "peers/info"
    case snapshot = "channels/snapshot"
    case trace = "channels/trace"
    case head = "channels/ptz"
    case recording = "channels/recording"

    /// - Parameter path: behind `/api/v1/`.
    init?(path: ArraySlice<Substring>) {
        let parts = Array(path)
        var name = parts.first ?? ""
        if parts.count == 3, name == "channels" { name += "/" + parts[2] }
        if parts.count == 2, name == "peers" { name += "/" + parts[1] }
        self.init(rawValue: String(name))
    }
}
