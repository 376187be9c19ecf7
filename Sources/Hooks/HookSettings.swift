import Media

/// Whom an integrator's hook asks, and how long it waits.
package struct HookSettings: Sendable, Hashable {
    package enum Target: Sendable, Hashable {
        /// A program's whole path and its arguments; started for each command.
        case program(path: String, arguments: [String])
        /// The path of a Unix stream socket; connected to for each command.
        case socket(path: String)
    }

    package var target: Target
    package var timeout: MediaTime

    package init(target: Target, timeout: MediaTime) {
        self.target = target
        self.timeout = timeout
    }
}
