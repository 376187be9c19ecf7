import Logging
import Media
import NIOCore
import PlatformProtocol
import Publishing
import Streaming
import Synchronization
import Talkback

/// Carries out what a session decides about media, in order: pushes, the speaker, playbacks. None of it is waited for by
/// the signalling link.
final class StreamRunner: Sendable {
    enum News: Sendable {
        case publishing(PlatformStreams.Token)
        case ended(PlatformStreams.Token, CloseCause)
    }

    private struct Running {
        /// Nil where no push came about.
        var push: String?
        var playback: PlatformPlayback?
        var voice: PlatformVoice?
    }

    /// Orders that wait to be carried out; see `put`.
    private static let maximumOrders = 1024
    /// Holders of the talk slot that are platforms; viewers' numbers are small.
    private static let firstHolder: UInt64 = 1 << 48
    private static let holders = Mutex(StreamRunner.firstHolder)

    private let settings: PlatformSettings
    private let device: any PlatformDevice
    private let pushes: PushManager
    private let loop: any EventLoop
    private let logger: Logger
    private let onNews: @Sendable (News) -> Void
    private let orders: AsyncStream<PlatformStreams.Order>
    private let input: AsyncStream<PlatformStreams.Order>.Continuation
    private let waitingOrders = Mutex(0)
    /// One for all talks of the platform, so that a new one takes the place of the one before.
    private let holder: TalkHolder
    private let openings = Mutex<[PlatformStreams.Token: PlatformPlayback]>([:])
    private let running = Mutex<[PlatformStreams.Token: Running]>([:])

    /// - Parameter onNews: called from any task.
    init(
        settings: PlatformSettings, device: any PlatformDevice, pushes: PushManager, loop: any EventLoop,
        logger: Logger, onNews: @escaping @Sendable (News) -> Void
    ) {
        self.settings = settings
        self.device = device
        self.pushes = pushes
        self.loop = loop
        self.logger = logger
        self.onNews = onNews
        holder = TalkHolder(
            rawValue: Self.holders.withLock { next in
                next += 1
                return next
            })
        (orders, input) = AsyncStream.makeStream(of: PlatformStreams.Order.self)
    }

    /// None is ever lost, or a stream might be left behind.
    /// - Returns: false where so many wait that whoever commands must be stopped. Any thread.
    @discardableResult
    func put(_ order: PlatformStreams.Order) -> Bool {
        let count = waitingOrders.withLock { count in
            count += 1
            return count
        }
        input.yield(order)
        return count <= Self.maximumOrders
    }

    /// Of a playback whose `open` follows.
    func prepare(_ token: PlatformStreams.Token, _ playback: PlatformPlayback) {
        openings.withLock { $0[token] = playback }
    }

    /// Until `finish`.
    func run() async {
        let events = pushes.events()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await order in self.orders {
                    await self.perform(order)
                    self.waitingOrders.withLock { $0 -= 1 }
                }
            }
            group.addTask { for await event in events { self.heard(event) } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Ends all streams that are open.
    func finish() async {
        input.finish()
        let cause = CloseCause(.shutdown, "the link to the platform ends")
        for token in running.withLock({ Array($0.keys) }) { await close(token, cause) }
    }

    /// The push of a stream, for reports.
    func push(_ token: PlatformStreams.Token) -> String? { running.withLock { $0[token]?.push } }

    // MARK: Orders

    private func perform(_ order: PlatformStreams.Order) async {
        switch order {
        case .open(let stream): await open(stream)
        case .change(let token, let quality, let tracks):
            if let push = push(token) { await pushes.change(push, quality: quality, tracks: tracks) }
        case .setPaused(let token, let isPaused):
            if let push = push(token) { await pushes.setPaused(isPaused, push) }
        case .requestKeyFrame(let token):
            if let push = push(token) { await pushes.requestKeyFrame(push) }
        case .close(let token): await close(token, CloseCause(.requested, "the platform closes it"))
        case .giveUp(let token, let cause): await close(token, cause)
        case .controlPlayback(let token, let order):
            running.withLock { $0[token]?.playback }?.perform(order)
        }
    }

    private func open(_ stream: PlatformStreams.Stream) async {
        guard let target = target(stream) else {
            return onNews(
                .ended(stream.token, CloseCause(.unreachable, "\(stream.address.host) is no address")))
        }
        let request = PushRequest(
            channel: stream.channelID, quality: stream.quality, tracks: stream.wanted, target: target,
            owner: PushOwner(name: settings.name, token: stream.token.rawValue))
        var entry = Running()
        var attachment = PushAttachment()
        switch stream.kind {
        case .live, .listen: break
        case .playback:
            guard let playback = openings.withLock({ $0.removeValue(forKey: stream.token) }) else { return }
            entry.playback = playback
            attachment.source = .footage { sink, _ in playback.makeFeed(sink) }
        case .talk, .broadcast:
            let voice = PlatformVoice()
            entry.voice = voice
            if stream.kind == .broadcast { attachment.source = .greeting }
            attachment.onPacket = { voice.take($0) }
        }
        do throws(PushError) {
            // Before the push, whose end may be heard at once.
            running.withLock { [entry] in $0[stream.token] = entry }
            let push = try await pushes.command(request, attachment: attachment)
            running.withLock { $0[stream.token]?.push = push }
            if let voice = entry.voice { occupy(stream, voice) }
        } catch {
            running.withLock { _ = $0.removeValue(forKey: stream.token) }
            onNews(.ended(stream.token, CloseCause(.noData, "\(error)")))
        }
    }

    private func target(_ stream: PlatformStreams.Stream) -> PushTarget? {
        if stream.kind == .live, let template = settings.liveTarget {
            let text =
                template
                .replacing("{sim}", with: settings.phone.digits)
                .replacing("{channel}", with: String(stream.channel))
                .replacing("{stream}", with: stream.quality.rawValue)
            return try? PushTarget(text)
        }
        let media = JT1078Stream(
            sim: settings.phone, simLength: settings.mediaSIMLength, channel: stream.channel, audio: settings.audio)
        return PushTarget(
            jt1078: media, host: stream.address.host, port: stream.address.port,
            isDatagram: stream.address.isDatagram)
    }

    /// The speaker opens while the connection does.
    private func occupy(_ stream: PlatformStreams.Stream, _ voice: PlatformVoice) {
        guard let slot = device.talkSlot else { return }
        Task {
            do throws(TalkRefusal) {
                let session = try await slot.occupy(by: holder, source: "platform \(settings.name)") {
                    [weak self] ending in
                    // The stream whose talk makes room for the platform's next one is closed by the platform.
                    guard ending != .replaced else { return }
                    self?.put(.giveUp(stream.token, CloseCause(.noData, "the talk has ended: \(ending)")))
                }
                voice.begin(session)
            } catch {
                logger.warning("a platform cannot talk", metadata: ["detail": "\(error)"])
                put(.giveUp(stream.token, CloseCause(.noData, "the speaker cannot be had: \(error)")))
            }
        }
    }

    private func close(_ token: PlatformStreams.Token, _ cause: CloseCause) async {
        guard let entry = running.withLock({ $0.removeValue(forKey: token) }) else { return }
        release(entry)
        if let push = entry.push { await pushes.end(push, cause) }
        onNews(.ended(token, cause))
    }

    private func release(_ entry: Running) {
        entry.voice?.end()
        entry.playback?.end()
    }

    // MARK: Events

    private func heard(_ event: PushEvent) {
        guard let owner = event.push.owner, owner.name == settings.name else { return }
        let token = PlatformStreams.Token(rawValue: owner.token)
        switch event.kind {
        case .publishing: onNews(.publishing(token))
        case .closed:
            guard let entry = running.withLock({ $0.removeValue(forKey: token) }) else { return }
            release(entry)
            onNews(.ended(token, event.push.cause ?? CloseCause(.service, "closed")))
        case .opened, .waiting: break
        }
    }
}
