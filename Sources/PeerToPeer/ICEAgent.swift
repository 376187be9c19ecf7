import CNice
import Glibc

/// What an ICE agent tells. On the peer loop, perhaps from inside a call to the agent.
protocol ICEAgentDelegate: AnyObject {
    func ice(_ agent: ICEAgent, has candidate: ICECandidate)
    func iceHasAllCandidates(_ agent: ICEAgent)
    func iceConnected(_ agent: ICEAgent)
    /// The first one, or another.
    func iceChoseWay(_ agent: ICEAgent)
    func iceFailed(_ agent: ICEAgent)
    func ice(_ agent: ICEAgent, received datagram: UnsafeRawBufferPointer)
    /// Those were all for now.
    func iceReceivedAll(_ agent: ICEAgent)
}

/// Finds a way to one peer (RFC 8445), and sends and receives on it. Belongs to the peer loop.
final class ICEAgent {
    weak var delegate: (any ICEAgentDelegate)?

    private let agent: OpaquePointer
    private let stream: UInt32
    private let loop: PeerLoop
    /// Nil where datagrams go through a relay or over TCP, and before there is a way at all; likewise the others.
    private var way: DirectWay?
    private var waySocket: SocketOwner?
    /// What the peer sends comes in here, past libnice, once that is wished for.
    private var receiver: (socket: DatagramReceiver, base: SocketOwner)?
    private var receivesDirectly = false
    /// What a datagram to the peer may have, in bytes: what any path carries, as browsers have it, or what fits into Ethernet
    /// in local networks, even with WireGuard around it.
    private(set) var largestDatagram = DatagramSize.anyPath

    /// The last source of libnice's that brought something; only compared.
    private var polled: UnsafeMutablePointer<GSource>?
    private var isClosed = false
    /// What libnice knows this object by.
    private var handle: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    private static let component: UInt32 = 1

    /// Nil where libnice cannot make one.
    init?(loop: PeerLoop, settings: ICESettings) {
        guard
            let agent = nice_agent_new_full(
                loop.context, NICE_COMPATIBILITY_RFC5245, NiceAgentOption(NICE_AGENT_OPTION_ICE_TRICKLE.rawValue))
        else { return nil }
        // The viewer offers, so it is in control.
        cnice_set_flag(agent, "controlling-mode", 0)
        // Would talk to the router, which nobody asked for.
        cnice_set_flag(agent, "upnp", 0)
        cnice_set_flag(agent, "ice-tcp", settings.usesTCP ? 1 : 0)
        // RFC 8489's own numbers, from half the time on; libnice's give up a pair after 2.5 s, which loss can do to it.
        cnice_set_number(agent, "stun-initial-timeout", 250)
        cnice_set_number(agent, "stun-max-retransmissions", 7)
        cnice_set_flag(agent, "force-relay", settings.relayOnly ? 1 : 0)
        if let stun = settings.stun {
            cnice_set_text(agent, "stun-server", stun.host)
            cnice_set_number(agent, "stun-server-port", guint(stun.port))
        }
        for text in settings.addresses { Self.add(text, to: agent) }
        stream = nice_agent_add_stream(agent, 1)
        self.agent = agent
        self.loop = loop
        if let ports = settings.ports {
            nice_agent_set_port_range(agent, stream, Self.component, guint(ports.lowerBound), guint(ports.upperBound))
        }
        for relay in settings.relays { add(relay) }
        listen(on: loop)
    }

    deinit { close {} }

    private static func add(_ text: String, to agent: OpaquePointer) {
        var address = NiceAddress()
        nice_address_init(&address)
        if nice_address_set_from_string(&address, text) != 0 { nice_agent_add_local_address(agent, &address) }
    }

    private func add(_ relay: ICESettings.Relay) {
        let type: NiceRelayType =
            switch relay.transport {
            case .udp: NICE_RELAY_TYPE_TURN_UDP
            case .tcp: NICE_RELAY_TYPE_TURN_TCP
            }
        nice_agent_set_relay_info(
            agent, stream, Self.component, relay.server.host, guint(relay.server.port), relay.user,
            relay.password.reveal(), type
        )
    }

    /// Without a receiver libnice would not even look at checks that come in.
    private func listen(on loop: PeerLoop) {
        cnice_on_state(
            agent,
            { _, _, _, state, data in
                guard let ice = ICEAgent.from(data) else { return }
                switch NiceComponentState(state) {
                case NICE_COMPONENT_STATE_CONNECTED, NICE_COMPONENT_STATE_READY: ice.delegate?.iceConnected(ice)
                case NICE_COMPONENT_STATE_FAILED: ice.delegate?.iceFailed(ice)
                default: break
                }
            }, handle)
        cnice_on_candidate(
            agent,
            { _, candidate, data in
                guard let ice = ICEAgent.from(data), let candidate, let own = ice.describe(candidate) else { return }
                ice.delegate?.ice(ice, has: own)
            }, handle)
        cnice_on_gathered(
            agent,
            { _, _, data in
                guard let ice = ICEAgent.from(data) else { return }
                ice.delegate?.iceHasAllCandidates(ice)
            }, handle)
        cnice_on_pair(agent, { _, _, _, _, _, data in ICEAgent.from(data)?.chooseWay() }, handle)
        nice_agent_attach_recv(
            agent, stream, Self.component, loop.context,
            { _, _, _, count, bytes, data in
                guard let ice = ICEAgent.from(data), let bytes else { return }
                ice.keepPolled(g_main_current_source())
                ice.loop.noteReceived()
                ice.delegate?.ice(ice, received: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                ice.delegate?.iceReceivedAll(ice)
            }, handle)
    }

    /// GLib takes a source's socket out of what it polls while the source is dispatched, for loops inside of loops, and
    /// wakes itself twice for it. There are no such loops here.
    private func keepPolled(_ source: UnsafeMutablePointer<GSource>?) {
        guard let source, source != polled else { return }
        polled = source
        g_source_set_can_recurse(source, 1)
    }

    private static func from(_ data: UnsafeMutableRawPointer?) -> ICEAgent? {
        data.map { Unmanaged<ICEAgent>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Own side

    /// The device's own; they change with each agent.
    var credentials: ICECredentials? {
        var ufrag: UnsafeMutablePointer<CChar>?
        var password: UnsafeMutablePointer<CChar>?
        guard nice_agent_get_local_credentials(agent, stream, &ufrag, &password) != 0, let ufrag, let password else {
            return nil
        }
        defer {
            g_free(ufrag)
            g_free(password)
        }
        return ICECredentials(ufrag: String(cString: ufrag), password: String(cString: password))
    }

    /// Addresses of the device itself are known when this returns, what servers say comes later. False where there is
    /// no socket to be had.
    func gather() -> Bool { nice_agent_gather_candidates(agent, stream) != 0 }

    var candidates: [ICECandidate] {
        let list = nice_agent_get_local_candidates(agent, stream, Self.component)
        defer { Self.free(list) }
        var own: [ICECandidate] = []
        var link = list
        while let node = link {
            if let candidate = node.pointee.data?.assumingMemoryBound(to: NiceCandidate.self),
                let known = describe(candidate), !known.isLinkLocal
            {
                own.append(known)
            }
            link = node.pointee.next
        }
        return own
    }

    private func describe(_ candidate: UnsafeMutablePointer<NiceCandidate>) -> ICECandidate? {
        guard let text = nice_agent_generate_local_candidate_sdp(agent, candidate) else { return nil }
        defer { g_free(text) }
        return ICECandidate(String(cString: text))
    }

    // MARK: The other side

    func setRemote(_ credentials: ICECredentials) {
        nice_agent_set_remote_credentials(agent, stream, credentials.ufrag, credentials.password)
    }

    /// May be called again for more; known ones do no harm.
    func addRemote(_ candidates: [ICECandidate]) {
        var list: UnsafeMutablePointer<GSList>?
        for candidate in candidates {
            guard let parsed = nice_agent_parse_remote_candidate_sdp(agent, stream, "a=" + candidate.line) else {
                continue
            }
            list = g_slist_append(list, parsed)
        }
        guard list != nil else { return }
        nice_agent_set_remote_candidates(agent, stream, Self.component, list)
        Self.free(list)
    }

    func remoteHasNoMore() { nice_agent_peer_candidate_gathering_done(agent, stream) }

    private static func free(_ list: UnsafeMutablePointer<GSList>?) {
        g_slist_free_full(list) { data in
            nice_candidate_free(data?.assumingMemoryBound(to: NiceCandidate.self))
        }
    }

    /// The two ends of the way that is in use: of the device, and of the peer.
    var selectedPair: (local: ICECandidate?, remote: ICECandidate?, remoteAddress: String)? {
        var local: UnsafeMutablePointer<NiceCandidate>?
        var remote: UnsafeMutablePointer<NiceCandidate>?
        guard nice_agent_get_selected_pair(agent, stream, Self.component, &local, &remote) != 0, let local, let remote
        else { return nil }
        return (describe(local), describe(remote), Self.text(of: &remote.pointee.addr))
    }

    /// Such as "192.0.2.1:4711" or "[2001:db8::1]:4711".
    private static func text(of address: inout NiceAddress) -> String {
        var text = [CChar](repeating: 0, count: Int(NICE_ADDRESS_STRING_LEN) + 1)
        nice_address_to_string(&address, &text)
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let port = nice_address_get_port(&address)
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    // MARK: Datagrams

    private func chooseWay() {
        defer {
            updateReceiver()
            delegate?.iceChoseWay(self)
        }
        way = nil
        waySocket = nil
        largestDatagram = DatagramSize.anyPath
        var local: UnsafeMutablePointer<NiceCandidate>?
        var remote: UnsafeMutablePointer<NiceCandidate>?
        guard nice_agent_get_selected_pair(agent, stream, Self.component, &local, &remote) != 0, let local, let remote,
            local.pointee.type != NICE_CANDIDATE_TYPE_RELAYED,
            local.pointee.transport == NICE_CANDIDATE_TRANSPORT_UDP,
            let socket = nice_agent_get_selected_socket(agent, stream, Self.component)
        else { return }
        let owner = SocketOwner(socket)
        var address = sockaddr_storage()
        let length = cnice_copy_address(&remote.pointee.addr, &address)
        if let address = NetworkAddress(address) { largestDatagram = DatagramSize.largest(to: address) }
        way = DirectWay(to: address, length: length) { g_socket_get_fd(owner.socket) }
        waySocket = owner
    }

    /// For when the peer has proven who it is: from then on DTLS need not come from an address that libnice has checked.
    func receiveDirectly() {
        receivesDirectly = true
        updateReceiver()
    }

    private func updateReceiver() {
        if let receiver {
            guard receiver.base.socket != waySocket?.socket else { return }
            loop.remove(receiver.socket)
            self.receiver = nil
        }
        guard receivesDirectly, let waySocket else { return }
        let socket = DatagramReceiver(beside: g_socket_get_fd(waySocket.socket)) { [weak self] datagrams in
            guard let self, let delegate else { return }
            for datagram in datagrams { delegate.ice(self, received: datagram) }
            delegate.iceReceivedAll(self)
        }
        guard let socket else { return }
        loop.add(socket)
        receiver = (socket, waySocket)
    }

    /// A socket of libnice's, which may be closed while it is held but does not vanish.
    private final class SocketOwner {
        let socket: UnsafeMutablePointer<GSocket>

        init(_ socket: UnsafeMutablePointer<GSocket>) {
            g_object_ref(socket)
            self.socket = socket
        }

        deinit { g_object_unref(socket) }
    }

    /// As with UDP: what cannot be sent now is lost, and DTLS and SCTP repair it. It leaves at the end of the loop's turn.
    func send(_ datagram: UnsafeRawBufferPointer) {
        guard !isClosed else { return }
        if let way { return loop.batch.add(datagram, on: way) }
        nice_agent_send(
            agent, stream, Self.component, guint(datagram.count), datagram.bindMemory(to: CChar.self).baseAddress)
    }

    // MARK: End

    /// Nothing is told any more. The agent's sockets are closed at once, its places at relays soon. Not from inside one
    /// of its own calls to the delegate.
    ///
    /// - Parameter onClosed: called later, on the peer loop.
    func close(_ onClosed: @escaping () -> Void) {
        guard !isClosed else { return }
        isClosed = true
        delegate = nil
        loop.batch.flush()
        way = nil
        waySocket = nil
        updateReceiver()
        nice_agent_attach_recv(agent, stream, Self.component, nil, nil, nil)
        cnice_ignore_signals(agent, handle)
        nice_agent_remove_stream(agent, stream)
        let end = Unmanaged.passRetained(End(onClosed)).toOpaque()
        nice_agent_close_async(
            agent, { _, _, data in if let data { Unmanaged<End>.fromOpaque(data).takeRetainedValue().onClosed() } }, end
        )
        g_object_unref(UnsafeMutableRawPointer(agent))
    }

    private final class End {
        let onClosed: () -> Void
        init(_ onClosed: @escaping () -> Void) { self.onClosed = onClosed }
    }
}
