/// How many may watch at once. One viewer too many is told so, with the numbers.
package struct ViewerAdmission: Sendable {
    /// Lowering it sends nobody away.
    package var limit: Int
    package private(set) var viewers = 0
    /// Since the start.
    package private(set) var refused = 0

    package init(limit: Int) { self.limit = limit }

    /// Takes a place, which must be given back with `leave()`.
    package mutating func enter() throws(RequestRefusal) {
        guard viewers < limit else {
            refused += 1
            throw RequestRefusal(
                status: 503, code: "tooManyViewers",
                message: "\(viewers) viewers are connected and \(limit) are allowed; try again when one has left",
                occupancy: .init(viewers: viewers, limit: limit))
        }
        viewers += 1
    }

    package mutating func leave() {
        precondition(viewers > 0, "more viewers leave than came")
        viewers -= 1
    }
}
