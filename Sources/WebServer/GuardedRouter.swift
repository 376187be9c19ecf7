/// Serves what routers have, to those who may have it. Transports know no other router.
package struct GuardedRouter: Sendable {
    private let routes: any RequestRouter
    private let gate: AccessGate

    package init(_ routes: any RequestRouter, gate: AccessGate) {
        self.routes = routes
        self.gate = gate
    }

    /// Other routes behind the same gate.
    func with(_ routes: any RequestRouter) -> GuardedRouter { GuardedRouter(routes, gate: gate) }

    package func route(_ request: HTTPRequest) -> RouteOutcome {
        guard let demand = routes.demand(of: request) else { return .answer(.notFound(request.path)) }
        do throws(AccessRefusal) {
            return routes.route(request, try gate.admit(request, demand))
        } catch {
            return .answer(error.answer)
        }
    }

    /// Asked first, with the head of a POST alone: whether its body is a voice, which is heard as it comes. Nil where it
    /// is not.
    package func voice(_ request: HTTPRequest) -> VoiceStart? {
        guard let demand = routes.demand(of: request), demand.operation.isTalk else { return nil }
        do throws(AccessRefusal) {
            return routes.voice(request, try gate.admit(request, demand))
        } catch {
            return .refused(error.answer)
        }
    }
}

extension Operation {
    fileprivate var isTalk: Bool { self == .viewer(.talk) || self == .control(.talk) }
}
