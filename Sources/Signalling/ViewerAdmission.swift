/// How many may watch at once. One viewer too many is told so, with the numbers.
///
/// A visitor that names itself takes one place, however much it watches; a connection without a name is a viewer by
/// itself. One server that passes the stream on has a place beside the others.
package struct ViewerAdmission: Sendable {
    package enum Holder: Sendable, Hashable {
        case visitor(VisitorID)
        case connection(UInt64)
    }

    /// Lowering it sends nobody away.
    package var limit: Int
    /// Since the start.
    package private(set) var refused = 0
    /// What each has under way that needs the place.
    private var uses: [Holder: Int] = [:]
    private var unnamed = 0
    private var servers: Set<Holder> = []

    package init(limit: Int) { self.limit = limit }

    /// All that hold a place, the server too.
    package var viewers: Int { uses.count }

    /// Whether somebody without a name holds one.
    package var hasUnnamed: Bool { unnamed > 0 }

    package func holds(_ holder: Holder) -> Bool { uses[holder] != nil }

    /// Whether `enter` would say yes. Nil is one who has not come yet.
    package func admits(_ holder: Holder?, isServer: Bool) -> Bool {
        if let holder, holds(holder) { return true }
        if isServer, servers.isEmpty { return true }
        return viewers - min(servers.count, 1) < limit
    }

    /// Takes a place, or uses the one there is once more; each call must be made up for by one of `leave`.
    package mutating func enter(_ holder: Holder, isServer: Bool = false) throws(RequestRefusal) {
        guard admits(holder, isServer: isServer) else {
            refused += 1
            throw RequestRefusal(
                status: 503, code: "tooManyViewers",
                message: "\(viewers) viewers are connected and \(limit) are allowed; try again when one has left",
                occupancy: .init(viewers: viewers, limit: limit))
        }
        if case .connection = holder, !holds(holder) { unnamed += 1 }
        uses[holder, default: 0] += 1
        if isServer { servers.insert(holder) }
    }

    package mutating func leave(_ holder: Holder) {
        guard let count = uses[holder] else { preconditionFailure("more viewers leave than came") }
        uses[holder] = count > 1 ? count - 1 : nil
        guard count == 1 else { return }
        servers.remove(holder)
        if case .connection = holder { unnamed -= 1 }
    }
}
