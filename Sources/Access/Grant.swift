/// What one caller may do, wherever it came in.
package struct Grant: Sendable, Hashable {
    package var rights: Set<Right>
    /// The only channel that it is for; nil for all, and for what concerns the whole device.
    package var channel: Int?

    package init(rights: Set<Right>, channel: Int? = nil) {
        self.rights = rights
        self.channel = channel
    }

    package static let nothing = Grant(rights: [])
    /// What viewers can be given.
    package static let everything = Grant(rights: Right.ofViewers)
    package static let watcher = Grant(rights: Right.ofWatchers)
    package static let administrator = Grant(rights: [.admin])

    package func has(_ right: Right) -> Bool { right.holders.contains { rights.contains($0) } }

    package func covers(_ channel: Int) -> Bool { (self.channel ?? channel) == channel }

    /// No more than this, and no more than what is asked for. Nil where that is another channel.
    package func narrowed(to wanted: Grant) -> Grant? {
        if let channel, let other = wanted.channel, other != channel { return nil }
        return Grant(rights: wanted.rights.filter { has($0) }, channel: channel ?? wanted.channel)
    }

    /// Whether both allow it.
    package func allows(_ requirement: Requirement, _ scope: Scope) -> Bool {
        let isInScope =
            switch scope {
            case .any: true
            case .channel(let number): covers(number)
            case .device: channel == nil
            }
        return switch requirement {
        case .nothing: true
        case .credential: isInScope
        case .right(let right): isInScope && has(right)
        }
    }
}

/// What it takes to be served.
package enum Requirement: Sendable, Hashable {
    /// For everybody.
    case nothing
    /// Any token or ticket that is good.
    case credential
    case right(Right)
}

/// What a request is about.
package enum Scope: Sendable, Hashable {
    /// Nothing in particular; what is of one channel only is left out of the answer.
    case any
    case channel(Int)
    /// The whole device, or a channel that cannot be read.
    case device
}
