import CUSRSCTP
import Glibc
import NIOCore

/// What happens on an association. Told on the peer loop, never from inside usrsctp.
enum SCTPEvent {
    case connected
    case message(stream: UInt16, kind: PayloadKind, ByteBuffer)
    /// The peer closed its direction of these streams.
    case peerReset([UInt16])
    /// Own directions are closed.
    case ownReset([UInt16])
    case ended(String)
}

/// What a message is (RFC 8831, 8).
enum PayloadKind: UInt32, Sendable {
    case establishment = 50
    case text = 51
    case binary = 53
    case emptyText = 56
    case emptyBinary = 57
}

protocol SCTPAssociationDelegate: AnyObject {
    /// From inside usrsctp, its locks held: may encrypt and send, and nothing else.
    func sctpSends(_ packet: UnsafeRawBufferPointer)
    func sctp(_ event: SCTPEvent)
    /// There is more room to send than there was.
    func sctpHasRoom()
}

/// Streams of messages to one peer (RFC 9260), over something that carries packets. Belongs to the peer loop.
final class SCTPAssociation {
    enum SendResult { case sent, full, failed }

    weak var delegate: (any SCTPAssociationDelegate)?
    private(set) var id: UInt = 0
    /// Bytes that the peer has not acknowledged.
    var bufferedBytes: Int { max(Self.sendBuffer - room, 0) }

    /// Whether the peer has acknowledged what was sent, but for what it may take its time with: one packet on its own.
    var isAnswered: Bool { bufferedBytes <= 2 * largestDatagram }

    /// Bytes with what DTLS puts around it; larger ones may not get through. Once it is connected, packets can only become
    /// smaller.
    var largestDatagram = 1200 {
        didSet { if largestDatagram != oldValue { limitPackets(on: peer) } }
    }

    private var socket: OpaquePointer?
    private var peer = sockaddr_conn()
    private var room = sendBuffer
    private var hadRoom = sendBuffer
    private var events: [SCTPEvent] = []
    /// Taken when something else comes, or nothing more.
    private var acknowledgement: PlainAcknowledgement?
    /// Messages that came in part.
    private var parts: [UInt16: ByteBuffer] = [:]
    private var partBytes = 0
    private var resets: [UInt16] = []
    private var isResetting = false

    /// How often a peer that says nothing is asked whether it is there.
    static let heartbeat = TimeAmount.seconds(5)
    /// Small, since what is in it cannot be taken back.
    static let sendBuffer = 256 << 10
    private static let receiveBuffer = 256 << 10
    /// What DTLS puts around a packet (37 bytes), and the packet's common header, which usrsctp counts beside the path's.
    private static let overhead = 37 + 12
    static let streamCount: UInt16 = 1024
    /// Of incoming messages, and of all parts that wait for their rest.
    static let maximumMessageBytes = 64 << 10
    private static let maximumPartBytes = 256 << 10

    init() {}

    deinit { close() }

    /// Both ends connect; SCTP makes one association of it. False where usrsctp refuses.
    func connect(localPort: UInt16, remotePort: UInt16) -> Bool {
        let id = SCTPStack.shared.add(self)
        self.id = id
        let handle = UnsafeMutableRawPointer(bitPattern: id)
        usrsctp_register_address(handle)
        socket = usrsctp_socket(
            AF_CONN, Int32(SOCK_STREAM.rawValue), Int32(IPPROTO_SCTP),
            { _, _, data, count, info, flags, handle in
                SCTPStack.shared.association(UInt(bitPattern: handle))?.receive(data, count, info, flags)
                free(data)
                return 1
            },
            { _, room, handle in
                SCTPStack.shared.association(UInt(bitPattern: handle))?.room = Int(room)
                return 0
            }, 1, handle)
        guard let socket else { return false }
        usrsctp_set_non_blocking(socket, 1)
        configure(socket)
        var own = cusrsctp_address(id, localPort)
        peer = cusrsctp_address(id, remotePort)
        let size = socklen_t(MemoryLayout<sockaddr_conn>.size)
        let isBound = withSocketAddress(&own) { usrsctp_bind(socket, $0, size) == 0 }
        guard isBound else { return false }
        // Without an address for what will be connected.
        limitPackets(on: sockaddr_conn())
        let result = withSocketAddress(&peer) { usrsctp_connect(socket, $0, size) }
        guard result == 0 || errno == EINPROGRESS else { return false }
        limitPackets(on: peer)
        return true
    }

    private func limitPackets(on path: sockaddr_conn) {
        guard let socket else { return }
        var parameters = sctp_paddrparams()
        parameters.spp_flags = UInt32(SPP_PMTUD_DISABLE)
        parameters.spp_pathmtu = UInt32(largestDatagram - Self.overhead)
        withUnsafeMutableBytes(of: &parameters.spp_address) { to in
            withUnsafeBytes(of: path) { to.copyMemory(from: $0) }
        }
        set(SCTP_PEER_ADDR_PARAMS, &parameters, on: socket)
    }

    private func configure(_ socket: OpaquePointer) {
        var (on, send, receive) = (Int32(1), Int32(Self.sendBuffer), Int32(Self.receiveBuffer))
        set(SCTP_NODELAY, &on, on: socket)
        set(SCTP_RECVRCVINFO, &on, on: socket)
        usrsctp_setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send, socklen_t(MemoryLayout<Int32>.size))
        usrsctp_setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive, socklen_t(MemoryLayout<Int32>.size))
        // Closing means to be gone at once.
        var linger = linger(l_onoff: 1, l_linger: 0)
        usrsctp_setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        var streams = sctp_initmsg()
        streams.sinit_num_ostreams = Self.streamCount
        streams.sinit_max_instreams = Self.streamCount
        set(SCTP_INITMSG, &streams, on: socket)
        var resets = sctp_assoc_value(
            assoc_id: UInt32(SCTP_FUTURE_ASSOC),
            assoc_value: UInt32(
                SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_RESET_ASSOC_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ))
        set(SCTP_ENABLE_STREAM_RESET, &resets, on: socket)
        for type in [SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT] {
            var event = sctp_event(se_assoc_id: UInt32(SCTP_FUTURE_ASSOC), se_type: UInt16(type), se_on: 1)
            set(SCTP_EVENT, &event, on: socket)
        }
    }

    private func set<Value: BitwiseCopyable>(_ option: Int32, _ value: inout Value, on socket: OpaquePointer) {
        usrsctp_setsockopt(socket, Int32(IPPROTO_SCTP), option, &value, socklen_t(MemoryLayout<Value>.size))
    }

    private func withSocketAddress<Result>(
        _ address: inout sockaddr_conn, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    /// The peer is told at once, and nothing is told here any more. Not from inside usrsctp.
    func close() {
        guard let socket else { return }
        self.socket = nil
        delegate = nil
        usrsctp_close(socket)
        usrsctp_deregister_address(UnsafeMutableRawPointer(bitPattern: id))
        SCTPStack.shared.remove(id)
    }

    // MARK: Packets

    /// What came of it, `deliver` tells. Of acknowledgements that follow each other only the last costs anything.
    func take(_ packet: UnsafeRawBufferPointer) {
        let next = PlainAcknowledgement(packet)
        if let last = acknowledgement, next?.covers(last) != true { last.withBytes { input($0) } }
        acknowledgement = next
        if next == nil { input(packet) }
    }

    private func input(_ packet: UnsafeRawBufferPointer) {
        guard socket != nil else { return }
        usrsctp_conninput(UnsafeMutableRawPointer(bitPattern: id), packet.baseAddress, packet.count, 0)
    }

    func send(packet: UnsafeRawBufferPointer) { delegate?.sctpSends(packet) }

    // MARK: Messages out

    /// One message, copied. Nothing of it is taken where there is no room for all.
    func send(
        _ message: UnsafeRawBufferPointer, stream: UInt16, kind: PayloadKind, reliability: ChannelOpening.Reliability,
        isOrdered: Bool
    ) -> SendResult {
        guard let socket else { return .failed }
        var info = sctp_sendv_spa()
        info.sendv_flags = UInt32(SCTP_SEND_SNDINFO_VALID)
        info.sendv_sndinfo.snd_sid = stream
        info.sendv_sndinfo.snd_ppid = kind.rawValue.bigEndian
        if !isOrdered { info.sendv_sndinfo.snd_flags = UInt16(SCTP_UNORDERED) }
        switch reliability {
        case .reliable: break
        case .retransmissions(let count):
            info.sendv_flags |= UInt32(SCTP_SEND_PRINFO_VALID)
            info.sendv_prinfo = sctp_prinfo(pr_policy: UInt16(SCTP_PR_SCTP_RTX), pr_value: count)
        case .lifetime(let milliseconds):
            info.sendv_flags |= UInt32(SCTP_SEND_PRINFO_VALID)
            info.sendv_prinfo = sctp_prinfo(pr_policy: UInt16(SCTP_PR_SCTP_TTL), pr_value: milliseconds)
        }
        room -= message.count
        let count = usrsctp_sendv(
            socket, message.baseAddress, message.count, nil, 0, &info, socklen_t(MemoryLayout.size(ofValue: info)),
            UInt32(SCTP_SENDV_SPA), 0)
        if count >= 0 { return .sent }
        room += message.count
        return errno == EWOULDBLOCK || errno == EAGAIN ? .full : .failed
    }

    /// Closes the own direction of a stream, behind what is queued on it.
    func reset(_ stream: UInt16) {
        resets.append(stream)
        resetNext()
    }

    /// One at a time, as the protocol wants it.
    private func resetNext() {
        guard let socket, !isResetting, let stream = resets.first else { return }
        if cusrsctp_reset_outgoing(socket, stream) == 0 {
            resets.removeFirst()
            isResetting = true
        } else if errno != EALREADY, errno != EBUSY, errno != EAGAIN {
            resets.removeFirst()
            resetNext()
        }
    }

    // MARK: Messages in

    /// From inside usrsctp: keeps what came, for `deliver`.
    private func receive(_ data: UnsafeMutableRawPointer?, _ count: Int, _ info: sctp_rcvinfo, _ flags: Int32) {
        guard let data else { return events.append(.ended("the peer closed")) }
        if flags & MSG_NOTIFICATION != 0 { return notice(data, count) }
        let stream = info.rcv_sid
        let bytes = UnsafeRawBufferPointer(start: data, count: count)
        var message = parts.removeValue(forKey: stream) ?? ByteBuffer()
        partBytes -= message.readableBytes
        message.writeBytes(bytes)
        guard message.readableBytes <= Self.maximumMessageBytes,
            partBytes + message.readableBytes <= Self.maximumPartBytes
        else { return events.append(.ended("the peer sent a message larger than was agreed on")) }
        guard flags & cusrsctp_end_of_message != 0 else {
            partBytes += message.readableBytes
            parts[stream] = message
            return
        }
        // What nobody knows is no reason to break off.
        guard let kind = PayloadKind(rawValue: UInt32(bigEndian: info.rcv_ppid)) else { return }
        events.append(.message(stream: stream, kind: kind, message))
    }

    private func notice(_ data: UnsafeMutableRawPointer, _ count: Int) {
        guard count >= MemoryLayout<UInt16>.size else { return }
        switch Int32(data.loadUnaligned(as: UInt16.self)) {
        case Int32(SCTP_ASSOC_CHANGE) where count >= MemoryLayout<sctp_assoc_change>.size:
            let change = data.loadUnaligned(as: sctp_assoc_change.self)
            switch Int32(change.sac_state) {
            case SCTP_COMM_UP: events.append(.connected)
            case SCTP_COMM_LOST: events.append(.ended("the peer does not answer any more, or broke off"))
            case SCTP_SHUTDOWN_COMP: events.append(.ended("the peer closed"))
            case SCTP_CANT_STR_ASSOC: events.append(.ended("the peer does not answer"))
            default: break
            }
        case Int32(SCTP_STREAM_RESET_EVENT) where count >= MemoryLayout<sctp_stream_reset_event>.size:
            noticeReset(data.assumingMemoryBound(to: sctp_stream_reset_event.self))
        default: break
        }
    }

    private func noticeReset(_ event: UnsafePointer<sctp_stream_reset_event>) {
        let streams = (0..<cusrsctp_reset_count(event)).map { cusrsctp_reset_stream(event, $0) }
        let flags = Int32(event.pointee.strreset_flags)
        if flags & SCTP_STREAM_RESET_INCOMING_SSN != 0 { events.append(.peerReset(streams)) }
        // Denied or failed, it is over as well.
        if flags & (SCTP_STREAM_RESET_OUTGOING_SSN | SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED) != 0 {
            isResetting = false
            events.append(.ownReset(streams))
        }
    }

    /// Tells what happened since the last time. Not from inside usrsctp.
    func deliver() {
        acknowledgement?.withBytes { input($0) }
        acknowledgement = nil
        while !events.isEmpty {
            let happened = events
            events = []
            for event in happened { delegate?.sctp(event) }
        }
        resetNext()
        if room > hadRoom { delegate?.sctpHasRoom() }
        hadRoom = room
    }

    /// The round trip time as SCTP knows it, in milliseconds; nil where it does not.
    var roundTripMilliseconds: Int? {
        guard let socket else { return nil }
        var status = sctp_status()
        var size = socklen_t(MemoryLayout<sctp_status>.size)
        guard usrsctp_getsockopt(socket, Int32(IPPROTO_SCTP), SCTP_STATUS, &status, &size) == 0 else { return nil }
        return Int(status.sstat_primary.spinfo_srtt)
    }
}
