import Access
import Logging
import NIOCore

/// The links that there are: makes them out of offers, looks after them, and hands their data channels on. May be asked
/// from any thread.
final class LinkTable: @unchecked Sendable {
    typealias ChannelHandler = @Sendable (DataChannel) -> Void

    private let loop = SCTPStack.shared.loop
    private let settings: PeerSettings
    private let logger: Logger
    private let onChannel: ChannelHandler
    private let context: DTLSContext
    private let fingerprint: CertificateFingerprint
    // Touched on the loop only.
    private var isStopped = false
    private var links: [String: PeerLink] = [:]
    private var lastID: UInt64 = 0
    private var sweeper: RepeatedTask?

    /// How long an answer waits for what servers say of the device's addresses.
    private static let gatheringTime = TimeAmount.milliseconds(500)
    /// How often links are looked at.
    private static let watchInterval = TimeAmount.milliseconds(200)

    /// - Parameters:
    ///   - certificate: shown to who calls.
    ///   - onChannel: called on the peer loop with each channel that a peer opens; gives it its handler.
    init(
        _ certificate: PeerCertificate, settings: PeerSettings, logger: Logger, onChannel: @escaping ChannelHandler
    ) throws(PeerCertificate.Problem) {
        context = try DTLSContext(certificate)
        fingerprint = certificate.fingerprint
        self.settings = settings
        self.logger = logger
        self.onChannel = onChannel
    }

    // MARK: From signalling

    /// An answer to an offer, and the name of the link that it makes.
    func answer(
        _ offer: SessionDescription, grant: Grant
    ) async throws(PeerRefusal) -> (token: String, answer: String) {
        let promise = loop.makePromise(of: (token: String, answer: String).self)
        loop.execute { self.makeLink(offer, grant, promise) }
        return try await Self.result(promise.futureResult)
    }

    func take(_ fragment: CandidateFragment, for token: String) async throws(PeerRefusal) {
        try await Self.result(
            loop.submit {
                guard let link = self.links[token] else { throw Self.unknownLink }
                link.take(fragment)
            })
    }

    func end(_ token: String) async throws(PeerRefusal) {
        try await Self.result(
            loop.submit {
                guard let link = self.links[token] else { throw Self.unknownLink }
                link.end("the viewer said so")
            })
    }

    static let unknownLink = PeerRefusal(.unknownLink, "there is no link of this name")

    private static func result<Value: Sendable>(_ future: EventLoopFuture<Value>) async throws(PeerRefusal) -> Value {
        do {
            return try await future.get()
        } catch {
            throw error as? PeerRefusal ?? PeerRefusal(.failed, "\(error)")
        }
    }

    /// Ends all links, and takes no more.
    func stop() async {
        try? await loop.submit {
            self.isStopped = true
            for link in self.links.values { link.end("the agent stops") }
        }.get()
    }

    func reports() async -> [PeerLinkSnapshot] {
        let all = try? await loop.submit { self.links.values.map { PeerLinkSnapshot($0, now: self.loop.now) } }.get()
        return (all ?? []).sorted { $0.id < $1.id }
    }

    // MARK: On the loop

    private func makeLink(
        _ offer: SessionDescription, _ grant: Grant, _ promise: EventLoopPromise<(token: String, answer: String)>
    ) {
        guard !isStopped else {
            return promise.fail(PeerRefusal(.unavailable, "the device takes no peers any more"))
        }
        guard links.count < settings.maximumLinks else {
            return promise.fail(
                PeerRefusal(.tooManyLinks, "\(links.count) peers are connected, which is as many as there may be"))
        }
        lastID += 1
        let token = Self.makeToken()
        let link = PeerLink(
            id: lastID, token: token, grant: grant, offer: offer, context: context, loop: loop, settings: settings,
            onChannel: onChannel
        ) { [weak self] link, reason in self?.ended(link, reason) }
        guard let link else { return promise.fail(PeerRefusal(.failed, "no link could be made")) }
        links[token] = link
        watch()
        var isAnswered = false
        let answer = {
            guard !isAnswered else { return }
            isAnswered = true
            guard let answer = link.answer(to: offer, fingerprint: self.fingerprint) else {
                link.end("no answer could be made")
                return promise.fail(PeerRefusal(.failed, "no answer could be made"))
            }
            promise.succeed((token, answer.text(session: UInt64.random(in: 1...UInt64(Int64.max)))))
        }
        guard link.gather(answer) else {
            isAnswered = true
            promise.fail(PeerRefusal(.failed, "no socket could be opened"))
            return link.end("no socket could be opened")
        }
        let waits = settings.ice.stun != nil || !settings.ice.relays.isEmpty
        guard waits else { return answer() }
        let later = NIOLoopBound(answer, eventLoop: loop)
        loop.scheduleTask(in: Self.gatheringTime) { later.value() }
    }

    /// 128 random bits.
    private static func makeToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    private func ended(_ link: PeerLink, _ reason: String) {
        links[link.token] = nil
        logger.info(
            "peer link ended",
            metadata: [
                "link": "\(link.id)", "cause": "\(reason)", "bytesSent": "\(link.bytesSent)",
                "bytesReceived": "\(link.bytesReceived)",
            ])
        guard links.isEmpty else { return }
        sweeper?.cancel()
        sweeper = nil
    }

    private func watch() {
        guard sweeper == nil else { return }
        sweeper = loop.scheduleRepeatedTask(initialDelay: Self.watchInterval, delay: Self.watchInterval) { [self] _ in
            let now = loop.now
            for link in links.values {
                link.measure(now: now)
                link.sweep(now: now)
            }
        }
    }
}
