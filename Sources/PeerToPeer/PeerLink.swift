import Access
import Logging
import NIOCore

/// How much may wait in a link before what is sent pauses, and when it goes on: bytes that the peer has not
/// acknowledged.
package struct BufferMarks: Sendable, Hashable {
    /// Sending goes on.
    package var low = 48 << 10
    /// The path carries less than it is given.
    package var warn = 96 << 10
    /// Sending pauses.
    package var high = 160 << 10

    package init() {}
}

/// One peer: the way to it (ICE), its safety (DTLS), the streams on it (SCTP), and the data channels that it opened.
/// Belongs to the peer loop.
package final class PeerLink {
    package enum State: String, Sendable, Hashable { case connecting, open, ended }

    package let id: UInt64
    /// Names the link where others may hear of it; nobody guesses it.
    package let token: String
    /// What may be asked for on it.
    package let grant: Grant
    package let createdAt: NIODeadline
    package private(set) var state = State.connecting
    package var marks: BufferMarks { meter.marks }
    /// What the way to the peer carries, in bytes a second; nil as long as it was never full.
    package var rate: Double? { meter.rate }
    package private(set) var bytesSent = 0
    package private(set) var bytesReceived = 0
    /// From the offer to the first channel that could be opened.
    package private(set) var connectTime: TimeAmount?

    private let loop: PeerLoop
    private let settings: PeerSettings
    private let onChannel: (DataChannel) -> Void
    private let onEnd: (PeerLink, String) -> Void
    private var ice: ICEAgent
    private let dtls: DTLSTransport
    private let sctp = SCTPAssociation()
    private let remoteSCTPPort: UInt16
    /// Of messages, as the peer takes them; see `DataChannel`.
    let messageBytes: Int
    let maximumMessageBytes: Int
    private let isDTLSClient: Bool
    private var channels: [UInt16: DataChannel] = [:]
    private var lastHeard: NIODeadline
    private var meter: DrainMeter
    private var gathered: [() -> Void] = []
    private var hasGathered = false
    private var isReflected = false
    private var isRelayed = false

    /// Longer labels are no requests.
    static let maximumLabelBytes = 8 << 10
    /// Open at once; more are closed again.
    static let maximumChannels = 64
    /// From the offer to the first channel.
    static let connectLimit = TimeAmount.seconds(30)
    /// A peer that is open, and answers none of three questions, is gone.
    static let silence = TimeAmount.seconds(15)
    private static let farewell = TimeAmount.seconds(3)
    /// From a channel's opening to its closing by the device: of one that is closed at once, Chromium now and then gives its
    /// page none of the messages.
    private static let shortestChannel = TimeAmount.milliseconds(40)

    /// Nil where libnice or OpenSSL cannot make what it takes.
    init?(
        id: UInt64, token: String, grant: Grant, offer: SessionDescription, context: DTLSContext, loop: PeerLoop,
        settings: PeerSettings, onChannel: @escaping (DataChannel) -> Void,
        onEnd: @escaping (PeerLink, String) -> Void
    ) {
        // Where the offer leaves it open the device calls, so that nothing depends on when the viewer's hello comes.
        isDTLSClient = offer.setup != .active
        guard let ice = ICEAgent(loop: loop, settings: settings.ice),
            let dtls = DTLSTransport(context, isClient: isDTLSClient, fingerprints: offer.fingerprints, on: loop)
        else { return nil }
        self.id = id
        self.token = token
        self.grant = grant
        self.loop = loop
        self.settings = settings
        self.onChannel = onChannel
        self.onEnd = onEnd
        self.ice = ice
        self.dtls = dtls
        meter = DrainMeter(settings.marks, now: loop.now)
        remoteSCTPPort = offer.sctpPort
        messageBytes = offer.messageBytes(atMost: DataChannel.messageBytes)
        maximumMessageBytes = offer.messageBytes(atMost: DataChannel.maximumMessageBytes)
        createdAt = loop.now
        lastHeard = loop.now
        ice.delegate = self
        dtls.delegate = self
        sctp.delegate = self
        ice.setRemote(offer.credentials)
        ice.addRemote(offer.candidates)
        if offer.hasAllCandidates { ice.remoteHasNoMore() }
    }

    /// The answer, with the candidates that are known by now; nil where there is no socket to be had.
    func answer(to offer: SessionDescription, fingerprint: CertificateFingerprint) -> SessionDescription? {
        guard let credentials = ice.credentials else { return nil }
        var answer = SessionDescription(
            credentials: credentials, fingerprints: [fingerprint], setup: isDTLSClient ? .active : .passive)
        answer.sections = offer.sections
        answer.mid = offer.mid
        answer.maximumMessageSize = SCTPAssociation.maximumMessageBytes
        answer.candidates = ice.candidates
        answer.hasAllCandidates = hasGathered
        return answer
    }

    /// Looks for the device's addresses. `done` is called when enough are known; perhaps at once.
    func gather(_ done: @escaping () -> Void) -> Bool {
        gathered.append(done)
        return ice.gather()
    }

    func take(_ fragment: CandidateFragment) {
        ice.addRemote(fragment.candidates)
        if fragment.isLast { ice.remoteHasNoMore() }
    }

    // MARK: What is known of it

    package var eventLoop: any EventLoop { loop }
    package var bufferedBytes: Int { sctp.bufferedBytes }
    package var roundTripMilliseconds: Int? { sctp.roundTripMilliseconds }
    package var channelCount: Int { channels.count }
    /// Address and port of the peer; empty before there is a way.
    package var remote: String { ice.selectedPair?.remoteAddress ?? "" }
    /// How the two ends of the way were found, such as "host" and "prflx".
    package var pair: (local: ICECandidate.Kind, remote: ICECandidate.Kind)? {
        guard let pair = ice.selectedPair, let local = pair.local, let remote = pair.remote else { return nil }
        return (local.kind, remote.kind)
    }

    // MARK: Channels

    /// False where there is no room; nothing of it was taken then.
    func send(_ message: UnsafeRawBufferPointer, kind: PayloadKind, on channel: DataChannel) -> Bool {
        guard state == .open else { return true }
        switch sctp.send(
            message, stream: channel.stream, kind: kind, reliability: channel.opening.reliability,
            isOrdered: channel.opening.isOrdered)
        {
        case .sent:
            bytesSent += message.count
            return true
        case .full: return false
        // The channel is closed under it; what is still said goes nowhere.
        case .failed: return true
        }
    }

    func reset(_ channel: DataChannel) {
        let due = channel.openedAt + Self.shortestChannel
        guard loop.now < due else { return resetNow(channel) }
        let own = NIOLoopBound((self, channel), eventLoop: loop)
        loop.scheduleTask(deadline: due) { own.value.0.resetNow(own.value.1) }
    }

    private func resetNow(_ channel: DataChannel) {
        guard state == .open, !channel.isReset else { return }
        channel.isReset = true
        sctp.reset(channel.stream)
    }

    private func received(_ kind: PayloadKind, _ message: ByteBuffer, on stream: UInt16) {
        bytesReceived += message.readableBytes
        switch kind {
        case .establishment: established(message, on: stream)
        case .text: channels[stream]?.received(message, isText: true)
        case .binary: channels[stream]?.received(message, isText: false)
        case .emptyText: channels[stream]?.received(ByteBuffer(), isText: true)
        case .emptyBinary: channels[stream]?.received(ByteBuffer(), isText: false)
        }
    }

    private func established(_ message: ByteBuffer, on stream: UInt16) {
        // The device opens none itself, so an acknowledgement is for nothing.
        guard case .open(let opening) = ChannelEstablishment(message) else { return }
        guard channels[stream] == nil, channels.count < Self.maximumChannels,
            opening.label.utf8.count <= Self.maximumLabelBytes
        else { return sctp.reset(stream) }
        let channel = DataChannel(stream: stream, opening: opening, link: self)
        channels[stream] = channel
        _ = ChannelEstablishment.acknowledgement.bytes.withUnsafeReadableBytes {
            sctp.send($0, stream: stream, kind: .establishment, reliability: .reliable, isOrdered: true)
        }
        onChannel(channel)
    }

    private func peerReset(_ streams: [UInt16]) {
        // None named means all.
        for stream in streams.isEmpty ? Array(channels.keys) : streams {
            guard let channel = channels.removeValue(forKey: stream) else { continue }
            resetNow(channel)
            channel.end()
        }
    }

    /// The channel is gone when the peer has closed its side as well; it is told of now.
    private func ownReset(_ streams: [UInt16]) {
        for stream in streams { channels[stream]?.end() }
    }

    // MARK: Being looked after

    /// Some times a second: finds out what the way carries.
    func measure(now: NIODeadline) {
        guard state == .open else { return }
        meter.review(now: now, sent: bytesSent, buffered: bufferedBytes)
        // With other marks, perhaps there is room.
        sctpHasRoom()
    }

    /// About once a second: finds out whether the peer is gone without saying so.
    func sweep(now: NIODeadline) {
        switch state {
        case .connecting where now - createdAt >= Self.connectLimit: end("no way to the peer was found in time")
        case .open where now - lastHeard >= Self.silence: end("the peer is silent")
        default: break
        }
    }

    /// Ends the link and all that is on it.
    package func end(_ reason: String) {
        guard state != .ended else { return }
        state = .ended
        let open = channels.values
        channels = [:]
        for channel in open { channel.end() }
        // Whoever waits for an answer gets one, though it leads nowhere.
        tellGathered()
        onEnd(self, reason)
        // Whoever brought this about may be one of these, and must not be taken apart underway.
        let own = NIOLoopBound(self, eventLoop: loop)
        loop.execute { own.value.close() }
    }

    private func close() {
        sctp.close()
        dtls.close()
        let loop = loop
        // Kept until its last signal.
        let ice = self.ice
        ice.close { withExtendedLifetime((ice, loop)) {} }
    }
}

extension PeerLink: ICEAgentDelegate {
    /// Each server has said what it knows; what else may come, such as for other transports, is not waited for.
    func ice(_ agent: ICEAgent, has candidate: ICECandidate) {
        switch candidate.kind {
        case .serverReflexive: isReflected = true
        case .relay: isRelayed = true
        case .host, .peerReflexive: return
        }
        let settings = settings.ice
        if isReflected || settings.stun == nil || settings.relayOnly, isRelayed || settings.relays.isEmpty {
            tellGathered()
        }
    }

    func iceHasAllCandidates(_ agent: ICEAgent) {
        hasGathered = true
        tellGathered()
    }

    private func tellGathered() {
        let waiting = gathered
        gathered = []
        for done in waiting { done() }
    }

    func iceConnected(_ agent: ICEAgent) {
        guard state != .ended else { return }
        dtls.begin()
        sctp.deliver()
    }

    func iceChoseWay(_ agent: ICEAgent) { sctp.largestDatagram = agent.largestDatagram }

    func iceFailed(_ agent: ICEAgent) {
        // Before the peer has told all its addresses this is not final; time decides then.
        if state == .open { end("the way to the peer is lost") }
    }

    func ice(_ agent: ICEAgent, received datagram: UnsafeRawBufferPointer) {
        guard state != .ended else { return }
        dtls.take(datagram)
    }

    func iceReceivedAll(_ agent: ICEAgent) { if state != .ended { sctp.deliver() } }
}

extension PeerLink: DTLSTransportDelegate {
    func dtlsSends(_ datagram: UnsafeRawBufferPointer) { ice.send(datagram) }

    func dtlsConnected() {
        guard state == .connecting else { return }
        ice.receiveDirectly()
        if !sctp.connect(localPort: SessionDescription.defaultSCTPPort, remotePort: remoteSCTPPort) {
            end("no SCTP association could be made")
        }
    }

    func dtlsReceived(_ message: UnsafeRawBufferPointer) {
        lastHeard = loop.now
        sctp.take(message)
    }

    func dtlsEnded(_ reason: String) { end(reason) }
}

extension PeerLink: SCTPAssociationDelegate {
    func sctpSends(_ packet: UnsafeRawBufferPointer) { dtls.send(packet) }

    func sctp(_ event: SCTPEvent) {
        guard state != .ended else { return }
        switch event {
        case .connected:
            guard state == .connecting else { return }
            state = .open
            connectTime = loop.now - createdAt
        case .message(let stream, let kind, let message): received(kind, message, on: stream)
        case .peerReset(let streams): peerReset(streams)
        case .ownReset(let streams): ownReset(streams)
        case .ended(let reason):
            // A peer that is heard up to its end broke off.
            end(loop.now - lastHeard < Self.farewell ? "the peer left" : reason)
        }
    }

    func sctpHasRoom() {
        // Those who were served last come last the next time.
        for channel in channels.values where state == .open { channel.pump() }
    }
}
