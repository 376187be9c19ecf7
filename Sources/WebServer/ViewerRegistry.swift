import ControlProtocol
import NIOCore
import Signalling
import Synchronization

/// Numbers over all viewers, also those that have left.
package struct ViewerTotals: Sendable {
    package var limit = 0
    package var connected = 0
    package var refused = 0
    /// Of viewers that have left.
    package var framesSent = 0
    package var framesDropped = 0
    package var bytesSent = 0
}

/// Who watches: admission, identity, and once a second a look at each. May be asked from any thread.
package final class ViewerRegistry: Sendable {
    private struct State: Sendable {
        var nextID: UInt64 = 1
        var groups: [LoopViewers] = []
        var gone = ViewerTotals()

        mutating func takeID() -> UInt64 {
            defer { nextID += 1 }
            return nextID
        }
    }

    package let visitors: VisitorTable
    private let state = Mutex(State())

    package init(visitors: VisitorTable) { self.visitors = visitors }

    package convenience init(limit: Int) { self.init(visitors: VisitorTable(limit: limit)) }

    package var totals: ViewerTotals {
        var totals = state.withLock { $0.gone }
        (totals.limit, totals.connected, totals.refused) = visitors.totals
        return totals
    }

    /// Takes effect for those who come.
    package func setLimit(_ limit: Int, ofChannel channelLimit: Int?) {
        visitors.setLimit(limit, ofChannel: channelLimit)
    }

    /// All viewers, in the order they came.
    package func reports() async -> [ViewerReport] {
        var reports: [ViewerReport] = []
        for group in state.withLock({ $0.groups }) {
            let some = try? await group.loop.submit { group.reports() }.get()
            reports += some ?? []
        }
        return reports.sorted { $0.id < $1.id }
    }

    /// `giveUpPlace` gives the place back, once.
    ///
    /// - Parameter channel: that is watched; nil for what is no stream of one.
    func enter(_ viewer: ViewerIdentity, channel: Int? = nil) throws(RequestRefusal) -> ViewerPlace {
        let id = identity()
        try visitors.enter(viewer, connection: id, channel: channel)
        return ViewerPlace(id: id, viewer: viewer, channel: channel)
    }

    /// For one who needs no place.
    func identity() -> UInt64 { state.withLock { $0.takeID() } }

    /// Of a viewer that never came to be, or one to whom goodbye is being said: whoever takes its place need not wait.
    func giveUpPlace(_ place: ViewerPlace) {
        visitors.leave(place.viewer, connection: place.id, channel: place.channel)
    }

    /// On the viewer's event loop.
    func add(_ viewer: any RegisteredViewer, on loop: any EventLoop) {
        group(of: loop).add(viewer)
    }

    /// On `loop`, as is its use.
    func scratch(of loop: any EventLoop) -> FrameScratch { group(of: loop).scratch }

    private func group(of loop: any EventLoop) -> LoopViewers {
        state.withLock { state in
            if let known = state.groups.first(where: { $0.loop === loop }) { return known }
            let group = LoopViewers(loop: loop)
            state.groups.append(group)
            return group
        }
    }

    /// On the viewer's event loop, once; after it has given up its place.
    func leave(_ viewer: any RegisteredViewer, framesSent: Int, framesDropped: Int, bytesSent: Int) {
        let groups = state.withLock { state in
            state.gone.framesSent += framesSent
            state.gone.framesDropped += framesDropped
            state.gone.bytesSent += bytesSent
            return state.groups
        }
        groups.first { $0.loop.inEventLoop }?.remove(viewer)
    }
}

/// A connection that takes a viewer's place. Everything is called on its event loop.
protocol RegisteredViewer: AnyObject {
    /// Called about once a second: finds out whether the other side is gone without saying so.
    func sweep(now: NIODeadline)
    func report(now: NIODeadline) -> ViewerReport
}

/// The viewers of one event loop; touched only there.
private final class LoopViewers: @unchecked Sendable {
    let loop: any EventLoop
    let scratch = FrameScratch()
    private var viewers: [any RegisteredViewer] = []
    private var sweeper: RepeatedTask?

    init(loop: any EventLoop) { self.loop = loop }

    func add(_ viewer: any RegisteredViewer) {
        viewers.append(viewer)
        guard sweeper == nil else { return }
        sweeper = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [self] _ in
            let now = loop.now
            for viewer in viewers { viewer.sweep(now: now) }
        }
    }

    func remove(_ viewer: any RegisteredViewer) {
        guard let index = viewers.firstIndex(where: { $0 === viewer }) else { return }
        viewers.swapAt(index, viewers.count - 1)
        viewers.removeLast()
        guard viewers.isEmpty else { return }
        sweeper?.cancel()
        sweeper = nil
    }

    func reports() -> [ViewerReport] {
        let now = loop.now
        return viewers.map { $0.report(now: now) }
    }
}
