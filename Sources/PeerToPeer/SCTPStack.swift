import CCRC32C
import CUSRSCTP
import NIOCore

/// usrsctp, which exists once in a process, and with it the loop that all peers live on. Its associations know it by
/// numbers that are never used twice, so that a late timer of a dead one meets nothing.
final class SCTPStack: @unchecked Sendable {
    static let shared = SCTPStack()

    let loop = PeerLoop { SCTPStack.shared.rest() }
    /// Packets' check sums are made here, where the processor has an instruction for it.
    private let sums = ccrc32c_is_there()
    // Touched on the loop only.
    private var associations: [UInt: SCTPAssociation] = [:]
    private var lastID: UInt = 0
    private var ticker: Scheduled<Void>?
    private var lastTick = NIODeadline.now()

    /// How often usrsctp looks at its timers. It is late with acknowledgements by that much, and with what is sent again
    /// after a fifth of a second or more.
    private static let tick = TimeAmount.milliseconds(40)
    /// The same where that costs nothing.
    private static let earliestTick = TimeAmount.milliseconds(20)
    private static let acknowledgementDelay = TimeAmount.milliseconds(20)
    /// Of the common header, in front of whose sum there are ports and tag.
    private static let headerBytes = 12
    private static let sumOffset = 8

    private init() {
        usrsctp_init_nothreads(
            0,
            { address, packet, count, _, _ in
                let packet = UnsafeMutableRawBufferPointer(start: packet, count: count)
                if SCTPStack.shared.sums, count >= SCTPStack.headerBytes, let bytes = packet.baseAddress {
                    let sum = ccrc32c(bytes, count)
                    packet.storeBytes(of: sum.littleEndian, toByteOffset: SCTPStack.sumOffset, as: UInt32.self)
                }
                SCTPStack.shared.send(from: UInt(bitPattern: address), UnsafeRawBufferPointer(packet))
                return 0
            }, nil)
        // Packets that come are not checked either then: DTLS has done that better.
        if sums { usrsctp_enable_crc32c_offload() }
        // The defaults are those of 2007's backbones; a video that stops for a second is no video.
        usrsctp_sysctl_set_sctp_rto_min_default(200)
        usrsctp_sysctl_set_sctp_rto_initial_default(500)
        usrsctp_sysctl_set_sctp_rto_max_default(10_000)
        usrsctp_sysctl_set_sctp_init_rto_max_default(10_000)
        usrsctp_sysctl_set_sctp_delayed_sack_time_default(UInt32(Self.acknowledgementDelay.nanoseconds / 1_000_000))
        usrsctp_sysctl_set_sctp_initial_cwnd(10)
        usrsctp_sysctl_set_sctp_max_burst_default(32)
        // One acknowledgement stands for many (`PlainAcknowledgement`), and counts as much.
        usrsctp_sysctl_set_sctp_L2_abc_variable(32)
        usrsctp_sysctl_set_sctp_max_chunks_on_queue(10_240)
        usrsctp_sysctl_set_sctp_init_rtx_max_default(5)
        // A phone that changes cells is away for longer than the five attempts that are usual; see PeerLink.silence.
        usrsctp_sysctl_set_sctp_path_rtx_max_default(10)
        usrsctp_sysctl_set_sctp_assoc_rtx_max_default(10)
        usrsctp_sysctl_set_sctp_heartbeat_interval_default(UInt32(SCTPAssociation.heartbeat.nanoseconds / 1_000_000))
        usrsctp_sysctl_set_sctp_ecn_enable(0)
        usrsctp_sysctl_set_sctp_asconf_enable(0)
        usrsctp_sysctl_set_sctp_auth_enable(0)
        // Packets that belong to nothing are not answered.
        usrsctp_sysctl_set_sctp_blackhole(2)
    }

    func add(_ association: SCTPAssociation) -> UInt {
        loop.preconditionInEventLoop()
        lastID += 1
        associations[lastID] = association
        if ticker == nil {
            lastTick = loop.now
            scheduleTick()
        }
        return lastID
    }

    func remove(_ id: UInt) {
        associations[id] = nil
        guard associations.isEmpty else { return }
        ticker?.cancel()
        ticker = nil
    }

    func association(_ id: UInt) -> SCTPAssociation? { associations[id] }

    private func scheduleTick() {
        ticker = loop.scheduleTask(in: Self.tick) { [self] in turn() }
    }

    private func turn() {
        // The time that has really passed, the rest of a millisecond carried over.
        let elapsed = (loop.now - lastTick).nanoseconds / 1_000_000
        lastTick = lastTick + .milliseconds(elapsed)
        usrsctp_handle_timers(UInt32(clamping: elapsed))
        for association in associations.values { association.deliver() }
        ticker?.cancel()
        if !associations.isEmpty { scheduleTick() }
    }

    /// The thread is awake, and pictures have it awake about as often as timers want it: those are looked at now, and need
    /// not wake it. Whether peers have acknowledged all that was sent to them.
    private func rest() -> Bool {
        if ticker != nil, loop.now - lastTick >= Self.earliestTick { turn() }
        return associations.values.allSatisfy(\.isAnswered)
    }

    private func send(from id: UInt, _ packet: UnsafeRawBufferPointer) { associations[id]?.send(packet: packet) }
}
