import Media
import Synchronization

/// Sends viewers for whom there is no place to a media service, which shows the device's stream to any number: has the
/// stream pushed there for the first of them, and ends the push when it is needed no more.
package actor HandOffDesk {
    package struct Settings: Sendable, Hashable {
        /// Where viewers find the stream, with `{channel}` and `{stream}`.
        package var viewerURL: String
        /// How long a push outlives the last hand-off.
        package var linger: MediaTime
        /// How long the service may take to take the stream.
        package var patience: MediaTime

        package init(viewerURL: String, linger: MediaTime = .seconds(30), patience: MediaTime = .seconds(8)) {
            self.viewerURL = viewerURL
            self.linger = linger
            self.patience = patience
        }
    }

    package struct Stream: Sendable, Hashable {
        package let channel: Int
        /// `main` or `sub`.
        package let name: String

        package init(channel: Int, name: String) {
            self.channel = channel
            self.name = name
        }
    }

    /// A push that carries a stream.
    package struct Opened: Sendable, Hashable {
        package let id: String
        /// False where somebody else had it opened; then it is theirs to end.
        package let isOwn: Bool

        package init(id: String, isOwn: Bool) {
            self.id = id
            self.isOwn = isOwn
        }
    }

    /// What pushes; the agent.
    package protocol Pushes: Sendable {
        /// Returns when the service took the stream; nil where it did not within `patience`.
        func open(_ stream: Stream, patience: MediaTime) async -> Opened?
        /// Whether it is still carried.
        func isPublishing(_ id: String) async -> Bool
        func close(_ id: String) async
    }

    private enum State {
        case opening(Task<Opened?, Never>)
        case open(Opened, lastHandOff: MediaTime)
    }

    private let settings: Settings
    private let pushes: any Pushes
    private let hasFreePlace: @Sendable (Int) -> Bool
    private let clock: any MediaClock
    private var streams: [Stream: State] = [:]

    /// - Parameter hasFreePlace: whether a viewer of this channel that comes now would be let in.
    package init(
        settings: Settings, pushes: any Pushes, clock: any MediaClock = SystemMediaClock(),
        hasFreePlace: @escaping @Sendable (Int) -> Bool
    ) {
        self.settings = settings
        self.pushes = pushes
        self.clock = clock
        self.hasFreePlace = hasFreePlace
    }

    /// Where the viewer is to go; nil where the service does not take the stream.
    package func handOff(_ stream: Stream) async -> String? {
        let opened: Opened?
        switch streams[stream] {
        case .open(let known, _) where await pushes.isPublishing(known.id): opened = known
        case .opening(let task): opened = await task.value
        default: opened = await open(stream)
        }
        guard let opened else { return nil }
        streams[stream] = .open(opened, lastHandOff: clock.now())
        return url(of: stream)
    }

    /// Where the stream would be found; for those who only ask.
    package nonisolated func url(of stream: Stream) -> String {
        settings.viewerURL.replacing("{channel}", with: String(stream.channel)).replacing("{stream}", with: stream.name)
    }

    private func open(_ stream: Stream) async -> Opened? {
        // Another may have begun while this one asked.
        if case .opening(let task) = streams[stream] { return await task.value }
        let earlier: Opened? = if case .open(let known, _) = streams[stream] { known } else { nil }
        let task = Task { [pushes, settings] in
            let opened = await pushes.open(stream, patience: settings.patience)
            // A push that broke and was joined again is still the hand-off's own, and its to end.
            guard let earlier, earlier.isOwn else { return opened }
            if opened == nil { await pushes.close(earlier.id) }
            return opened?.id == earlier.id ? earlier : opened
        }
        streams[stream] = .opening(task)
        let opened = await task.value
        if opened == nil { streams[stream] = nil }
        return opened
    }

    /// To be called about once a second: ends what nobody was sent to for a while, as soon as viewers find places here.
    package func review() async {
        let now = clock.now()
        for (stream, state) in streams where hasFreePlace(stream.channel) {
            guard case .open(let opened, let last) = state, now - last >= settings.linger else { continue }
            streams[stream] = nil
            if opened.isOwn { await pushes.close(opened.id) }
        }
    }

    /// Ends all pushes that the hand-off had opened.
    package func stop() async {
        let all = streams
        streams = [:]
        for case .open(let opened, _) in all.values where opened.isOwn { await pushes.close(opened.id) }
    }
}
