import Access
import ControlProtocol
import Logging
import NIOCore
import NIOHTTP1
import PeerToPeer
import Signalling
import Streaming

/// Serves what peers ask for: each data channel is one request, and is answered as HTTP requests are.
package struct PeerRequests: Sendable {
    let router: GuardedRouter
    let settings: WebServerSettings
    let registry: ViewerRegistry
    let logger: Logger

    package init(
        router: GuardedRouter, settings: WebServerSettings, registry: ViewerRegistry, logger: Logger
    ) {
        self.router = router
        self.settings = settings
        self.registry = registry
        self.logger = logger
    }

    /// On the peer loop, with each channel that a peer opens.
    package func take(_ channel: DataChannel) {
        guard let link = channel.link else { return }
        let request = PeerRequest(channel, self, on: link.eventLoop)
        channel.handler = request
        request.begin(from: .link(UInt32(truncatingIfNeeded: link.id)), with: link.grant)
    }
}

/// One data channel from its opening until it is known what it carries. Lives on the peer loop.
final class PeerRequest: DataChannelHandler {
    private let channel: DataChannel
    private let server: PeerRequests
    private let loop: any EventLoop
    private var work: Task<Void, Never>?
    private var isClosed = false

    init(_ channel: DataChannel, _ server: PeerRequests, on loop: any EventLoop) {
        self.channel = channel
        self.server = server
        self.loop = loop
    }

    func begin(from visitor: VisitorID, with grant: Grant) {
        guard let label = PeerRequestLabel(channel.label) else {
            return answer(
                .error(
                    status: 404, code: "badRequest",
                    message: "a channel's label is GET ipc.flv?…, GET feedback, COMMAND action=… or VOICE channel=…"))
        }
        let request = label.request(from: visitor, with: grant)
        if label.method == .voice, let start = server.router.voice(request) { return talk(start) }
        carryOut(server.router.route(request))
    }

    private func talk(_ start: VoiceStart) {
        let voice = PeerVoice(channel, on: loop)
        channel.handler = voice
        voice.begin(start)
    }

    private func carryOut(_ outcome: RouteOutcome) {
        switch outcome {
        case .answer(let answer): self.answer(answer)
        case .work(let work): wait(for: { .answer(await work()) })
        case .later(let work): wait(for: work)
        case .viewer(let start): watch(start)
        case .playback(let start): watch(start)
        case .download(let start): download(start)
        case .feedback(let start): listen(start)
        case .voice(let start): talk(start)
        case .pictures:
            answer(
                .error(status: 404, code: "notFound", message: "there are no single pictures on data channels"))
        case .events: answer(.notFound("events"))
        }
    }

    private func wait(for work: @escaping @Sendable () async -> RouteOutcome) {
        let own = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        self.work = Task {
            let outcome = await work()
            loop.execute { own.value.finishWork(outcome) }
        }
    }

    /// Nothing is done for a peer that has left.
    private func finishWork(_ outcome: RouteOutcome) {
        guard !isClosed else { return }
        work = nil
        carryOut(outcome)
    }

    private func answer(_ answer: HTTPAnswer) {
        guard !isClosed else { return }
        channel.send(answer)
        channel.close()
    }

    // MARK: What lasts

    private func watch(_ start: LiveStart) {
        let visitors = server.registry.visitors
        watch(
            start.tracks == .audio ? .liveAudio : .live, of: start.viewer, channel: start.request.channel,
            stream: start.request.quality, whenFull: start.whenFull,
            onEnd: { viewer in if let viewer { visitors.end(viewer, at: start.place) } }
        ) { viewer, loop in
            visitors.begin(viewer, at: start.place)
            let hubs = [start.hub] + (start.tracks == .audio ? [] : [start.lesser].compactMap(\.self))
            return AdaptiveFeed(
                viewer, hubs: hubs, on: loop, tracks: start.tracks, limits: PeerViewer.limits
            ) { viewer.changed(toLevel: $0) }
        }
    }

    private func watch(_ start: PlaybackStart) {
        // The visitor does not leave between its old playback and this one.
        let visitors = server.registry.visitors
        visitors.attach(start.viewer)
        defer { visitors.detach(start.viewer.visitor) }
        let feed = start.begin(on: loop)
        watch(
            start.tracks == .audio ? .playbackAudio : .playback, of: start.viewer, channel: start.request.channel,
            stream: start.opening.stream, onEnd: { _ in start.end(feed) }
        ) { viewer, _ in
            feed.start(start.tracks == .audio ? SoundSink(viewer) : viewer)
            return feed
        }
    }

    private func watch(
        _ activity: ViewerReport.Activity, of identity: ViewerIdentity, channel number: Int, stream: StreamQuality,
        whenFull: (@Sendable () async -> HTTPAnswer)? = nil, onEnd: @escaping (PeerViewer?) -> Void,
        begin: (PeerViewer, any EventLoop) -> (any FrameFeed)?
    ) {
        let place: ViewerPlace
        do throws(RequestRefusal) { place = try server.registry.enter(identity, channel: number) } catch {
            onEnd(nil)
            if error.isFull, let whenFull { return wait(for: { .answer(await whenFull()) }) }
            return answer(.refusal(error))
        }
        let viewer = PeerViewer(
            .init(place: place, activity: activity, channel: number, stream: stream), channel: channel,
            registry: server.registry, logger: server.logger, on: loop, onEnd: onEnd)
        server.registry.add(viewer, on: loop)
        channel.handler = viewer
        viewer.start(begin)
    }

    private func download(_ start: DownloadStart) {
        guard let viewer = start.viewer else { return answer(.notFound("download")) }
        // The visitor does not leave between its old download and this one.
        server.registry.visitors.attach(viewer)
        defer { server.registry.visitors.detach(viewer.visitor) }
        start.endEarlier()
        let place: ViewerPlace
        do throws(RequestRefusal) { place = try server.registry.enter(viewer) } catch {
            return answer(.refusal(error))
        }
        let download = PeerDownload(
            start, place: place, channel: channel, registry: server.registry, logger: server.logger, on: loop)
        server.registry.add(download, on: loop)
        channel.handler = download
        download.begin()
    }

    private func listen(_ start: FeedbackStart) {
        let listener = PeerListener(start, channel: channel, on: loop)
        channel.handler = listener
        listener.begin()
    }

    // MARK: The channel

    func received(_ message: ByteBuffer, isText: Bool) {}

    func becameWritable() {}

    func closed() {
        isClosed = true
        work?.cancel()
    }
}
