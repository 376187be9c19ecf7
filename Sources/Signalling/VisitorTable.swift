import Media
import Recording
import Synchronization

/// Who is there and at what: how many may watch, one stream of each kind of a channel for each visitor, one download.
/// What comes later takes the place of what was there before. From any thread.
package final class VisitorTable: Sendable {
    /// What a visitor has one of.
    package struct Place: Sendable, Hashable {
        package let visitor: VisitorID
        package let channel: Int
        package let kind: StreamKind

        package init(visitor: VisitorID, channel: Int, kind: StreamKind) {
            self.visitor = visitor
            self.channel = channel
            self.kind = kind
        }
    }

    /// A visitor that names itself, and visitor 0.
    fileprivate struct Visitor {
        var requester: String?
        var lastSeen: MediaTime
        /// Connections that last: streams, downloads, talks, listeners for messages.
        var links = 0
    }

    fileprivate struct State {
        /// To the device.
        var admission: ViewerAdmission
        /// To each channel; nil for as many as the device takes.
        var channelLimit: Int?
        var channels: [Int: ViewerAdmission] = [:]
        var visitors: [VisitorID: Visitor] = [:]
        var streams: [Place: any Cancellable] = [:]
        var playbacks: [Place: any PlaybackControl] = [:]
        var downloads: [VisitorID: any Cancellable] = [:]
    }

    /// A visitor without connections that says nothing for so long is forgotten.
    package static let silence = MediaTime.seconds(60)
    /// More visitors without connections are forgotten earlier, who was silent longest first.
    package static let maximumVisitors = 1024

    private let state: Mutex<State>
    private let clock: any MediaClock
    private let onLost: @Sendable (VisitorID) -> Void

    /// - Parameters:
    ///   - channelLimit: how many may watch one channel; nil for as many as the device takes.
    ///   - onLost: told when a visitor's last connection has ended; must not block.
    package init(
        limit: Int = 64, channelLimit: Int? = nil, clock: any MediaClock = SystemMediaClock(),
        onLost: @escaping @Sendable (VisitorID) -> Void = { _ in }
    ) {
        state = Mutex(State(admission: ViewerAdmission(limit: limit), channelLimit: channelLimit))
        self.clock = clock
        self.onLost = onLost
    }

    // MARK: Being there

    /// Takes effect for those who come.
    package func setLimit(_ limit: Int, ofChannel channelLimit: Int?) {
        state.withLock { state in
            state.admission.limit = limit
            state.channelLimit = channelLimit
            for channel in state.channels.keys { state.channels[channel]?.limit = channelLimit ?? .max }
        }
    }

    /// - Returns: how many are allowed, how many watch, and how many were refused since the start.
    package var totals: (limit: Int, viewers: Int, refused: Int) {
        state.withLock { state in
            let refused = state.channels.values.reduce(state.admission.refused) { $0 + $1.refused }
            return (state.admission.limit, state.admission.viewers, refused)
        }
    }

    /// Somebody asks for something.
    /// - Returns: who that is, with what it said of itself before.
    @discardableResult
    package func saw(_ viewer: ViewerIdentity) -> ViewerIdentity {
        let now = clock.now()
        let requester = state.withLock { state in
            state.note(viewer, now: now)
            return state.visitors[viewer.visitor]?.requester
        }
        return ViewerIdentity(viewer.visitor, requester: viewer.requester ?? requester)
    }

    /// Who names itself and is there now, in no order.
    package var present: [VisitorID] {
        let now = clock.now()
        return state.withLock { state in
            state.visitors.filter {
                $0.key != .anonymous && ($0.value.links > 0 || now - $0.value.lastSeen < Self.silence)
            }
            .map(\.key)
        }
    }

    /// A connection that lasts begins. It needs no viewer's place.
    package func attach(_ viewer: ViewerIdentity) {
        let now = clock.now()
        state.withLock { state in
            state.note(viewer, now: now)
            state.visitors[viewer.visitor]?.links += 1
        }
    }

    /// A connection that was attached has ended.
    package func detach(_ visitor: VisitorID) {
        let now = clock.now()
        let isLost = state.withLock { state in
            state.visitors[visitor]?.lastSeen = now
            state.visitors[visitor]?.links -= 1
            return state.visitors[visitor]?.links == 0
        }
        if isLost { onLost(visitor) }
    }

    /// Takes a viewer's place for something that lasts; `leave` gives it back, once for each time.
    ///
    /// - Parameters:
    ///   - connection: tells viewers without a name apart.
    ///   - channel: that is watched; nil for what is no stream of one.
    package func enter(
        _ viewer: ViewerIdentity, connection: UInt64, channel: Int? = nil
    ) throws(RequestRefusal) {
        let refusal: RequestRefusal? = state.withLock { state in
            do throws(RequestRefusal) {
                try state.enter(viewer.holder(connection), isServer: viewer.isServer, channel: channel)
                return nil
            } catch {
                return error
            }
        }
        if let refusal { throw refusal }
        attach(viewer)
    }

    /// - Parameter channel: as it was for `enter`.
    package func leave(_ viewer: ViewerIdentity, connection: UInt64, channel: Int? = nil) {
        state.withLock { state in
            state.admission.leave(viewer.holder(connection))
            if let channel { state.channels[channel]?.leave(viewer.holder(connection)) }
        }
        detach(viewer.visitor)
    }

    /// Whether a viewer of a channel that comes now would be let in.
    package func hasFreePlace(on channel: Int) -> Bool {
        state.withLock { $0.admits(nil, isServer: false, channel: channel) }
    }

    /// Whether a stream would be granted, and how many are connected, who asks included. One without a name is taken
    /// for one of those that are there, and for a new viewer where it is to be admitted.
    ///
    /// - Parameter channel: whose stream it would be.
    package func prospect(of viewer: ViewerIdentity, channel: Int? = nil) -> (isAdmitted: Bool, connected: Int) {
        state.withLock { state in
            let admission = state.admission
            let holder = viewer.isNamed ? ViewerAdmission.Holder.visitor(viewer.visitor) : nil
            let isCounted = holder.map(admission.holds) ?? admission.hasUnnamed
            return (
                state.admits(holder, isServer: viewer.isServer, channel: channel),
                admission.viewers + (isCounted ? 0 : 1)
            )
        }
    }

    // MARK: What they are at

    /// Ends what was there before, without waiting for it; where that is on the same event loop, it is gone then.
    /// Viewers without a name are not one visitor here: none ends the other's.
    package func begin(_ stream: any Cancellable, at place: Place) {
        guard place.visitor != .anonymous else { return }
        let old = state.withLock { state in
            defer { state.streams[place] = stream }
            return state.streams[place]
        }
        old?.stop()
    }

    /// Does nothing where another has taken its place.
    package func end(_ stream: any Cancellable, at place: Place) {
        state.withLock { state in
            if state.streams[place] === stream { state.streams[place] = nil }
        }
    }

    /// The visitor's running playback of this channel.
    package func playback(of visitor: VisitorID, channel: Int) -> (any PlaybackControl)? {
        state.withLock { state in
            for kind in [StreamKind.playback, .playbackAudio] {
                let place = Place(visitor: visitor, channel: channel, kind: kind)
                if let playback = state.playbacks[place] { return playback }
            }
            return nil
        }
    }

    /// Ends what was there before, without waiting for it.
    package func begin(_ playback: any PlaybackControl, at place: Place) {
        let old = state.withLock { state in
            defer { state.playbacks[place] = playback }
            return state.playbacks[place]
        }
        old?.stop()
    }

    package func end(_ playback: any PlaybackControl, at place: Place) {
        state.withLock { state in
            if state.playbacks[place] === playback { state.playbacks[place] = nil }
        }
    }

    package func begin(_ download: any Cancellable, of visitor: VisitorID) {
        let old = state.withLock { state in
            defer { state.downloads[visitor] = download }
            return state.downloads[visitor]
        }
        old?.stop()
    }

    /// Whatever the visitor was downloading, without waiting for it.
    package func endDownload(of visitor: VisitorID) {
        state.withLock { $0.downloads.removeValue(forKey: visitor) }?.stop()
    }

    package func end(_ download: any Cancellable, of visitor: VisitorID) {
        state.withLock { state in
            if state.downloads[visitor] === download { state.downloads[visitor] = nil }
        }
    }
}

extension VisitorTable.State {
    fileprivate func admits(_ holder: ViewerAdmission.Holder?, isServer: Bool, channel: Int?) -> Bool {
        guard admission.admits(holder, isServer: isServer) else { return false }
        guard let channel, let channelLimit else { return true }
        return channels[channel, default: ViewerAdmission(limit: channelLimit)].admits(holder, isServer: isServer)
    }

    fileprivate mutating func enter(
        _ holder: ViewerAdmission.Holder, isServer: Bool, channel: Int?
    ) throws(RequestRefusal) {
        // Who is kept out of one is in neither.
        if let channel, admission.admits(holder, isServer: isServer) {
            try channels[channel, default: ViewerAdmission(limit: channelLimit ?? .max)].enter(
                holder, isServer: isServer)
        }
        try admission.enter(holder, isServer: isServer)
    }

    fileprivate mutating func note(_ viewer: ViewerIdentity, now: MediaTime) {
        if visitors[viewer.visitor] == nil {
            if visitors.count >= VisitorTable.maximumVisitors { forget(now: now) }
            visitors[viewer.visitor] = .init(lastSeen: now)
        }
        visitors[viewer.visitor]?.lastSeen = now
        // Viewers without a name are many, so nothing that one says of itself holds for the next.
        if viewer.isNamed, let requester = viewer.requester { visitors[viewer.visitor]?.requester = requester }
    }

    /// The silent, and where there are none, the one that was silent longest.
    private mutating func forget(now: MediaTime) {
        let idle = visitors.filter { $0.value.links == 0 }
        let silent = idle.filter { now - $0.value.lastSeen >= VisitorTable.silence }
        let oldest = idle.min { $0.value.lastSeen < $1.value.lastSeen }
        for visitor in silent.isEmpty ? oldest.map({ [$0.key] }) ?? [] : silent.map(\.key) { visitors[visitor] = nil }
    }
}

extension ViewerIdentity {
    fileprivate func holder(_ connection: UInt64) -> ViewerAdmission.Holder {
        isNamed ? .visitor(visitor) : .connection(connection)
    }
}

/// Something under way that can be ended from any thread, without waiting.
package protocol Cancellable: AnyObject, Sendable {
    func stop()
}
