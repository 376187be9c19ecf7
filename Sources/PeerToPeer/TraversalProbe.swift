import Glibc
import Media

/// Asks all STUN servers and relays of the settings at once, as links would, and reports what came of it. Blocks for some
/// seconds at most once names are known, so it is for a thread of its own. `Cryptography` must be open.
package struct TraversalProbe {
    private let settings: ICESettings
    private let clock: any MediaClock

    package init(_ settings: ICESettings, clock: any MediaClock = SystemMediaClock()) {
        self.settings = settings
        self.clock = clock
    }

    package func run() -> TraversalReport {
        var names = NameBook()
        let stun = settings.stun.map { (server: $0, address: names.address(of: $0)) }
        let relays = settings.relays.map { (relay: $0, address: names.address(of: $0.server)) }
        let relayTasks = relays.map { relay, address in
            (try? address.get()).map { RelayTask(relay, at: $0) }
        }
        // Relays answer what STUN servers are asked, too.
        let asked =
            [stun.flatMap { try? $0.address.get() }]
            + relays.map { relay, address in
                relay.transport == .udp ? try? address.get() : nil
            }
        // IPv4 first, since that is what routers change.
        let mappings = [false, true].compactMap { MappingTask(asked.compactMap(\.self), isIPv6: $0) }
        run(relayTasks.compactMap(\.self) + mappings)
        return TraversalReport(
            stun: stun.map { .init(server: $0.server, outcome: Self.outcome($0.address, mappings)) },
            relays: zip(relays, relayTasks).map { .init(relay: $0.relay, outcome: Self.outcome($0.address, $1)) },
            nat: mappings.first?.kind)
    }

    private static func outcome(
        _ address: Result<NetworkAddress, HostAddresses.Failure>, _ mappings: [MappingTask]
    ) -> TraversalReport.Server.Outcome {
        switch address {
        case .failure(let failure): .unresolved(failure.reason)
        case .success(let address): .asked(address, mappings.compactMap { $0.outcome(of: address) }.first ?? .silent)
        }
    }

    private static func outcome(
        _ address: Result<NetworkAddress, HostAddresses.Failure>, _ task: RelayTask?
    ) -> TraversalReport.Relay.Outcome {
        switch address {
        case .failure(let failure): .unresolved(failure.reason)
        case .success(let address): .asked(address, task?.outcome ?? .silent)
        }
    }

    private func run(_ tasks: [any ProbeTask]) {
        for task in tasks { task.begin(now: clock.now()) }
        while true {
            let open = tasks.filter { $0.deadline != nil }
            guard let next = open.compactMap(\.deadline).min() else { return }
            var polled = open.map { task in
                pollfd(
                    fd: task.descriptor, events: Int16(POLLIN) | (task.wantsToWrite ? Int16(POLLOUT) : 0), revents: 0)
            }
            let pause = max(0, min((next - clock.now()).milliseconds + 1, 1000))
            poll(&polled, nfds_t(polled.count), Int32(pause))
            let now = clock.now()
            for (task, polled) in zip(open, polled) {
                if polled.revents != 0 { task.isReady(now: now) }
                task.step(now: now)
            }
        }
    }
}

/// The addresses of hosts, each looked up once.
private struct NameBook {
    private var known: [ICESettings.Server: Result<NetworkAddress, HostAddresses.Failure>] = [:]
    /// Who knows names was silent, which takes its time to find out.
    private var silence: HostAddresses.Failure?

    mutating func address(of server: ICESettings.Server) -> Result<NetworkAddress, HostAddresses.Failure> {
        if let known = known[server] { return known }
        if let silence, NetworkAddress(server.host, port: 0) == nil { return .failure(silence) }
        let result: Result<NetworkAddress, HostAddresses.Failure>
        do throws(HostAddresses.Failure) {
            result = .success(try HostAddresses.find(server))
        } catch {
            if error.isSilence { silence = error }
            result = .failure(error)
        }
        known[server] = result
        return result
    }
}

/// Something on a socket that is asked and answered.
private protocol ProbeTask: AnyObject {
    var descriptor: Int32 { get }
    var wantsToWrite: Bool { get }
    /// When `step` wants to be called; nil at the end.
    var deadline: MediaTime? { get }
    func begin(now: MediaTime)
    /// There is something to read, or to write where that was wanted, or an error.
    func isReady(now: MediaTime)
    func step(now: MediaTime)
}

/// All servers of one kind of addresses, from one socket.
private final class MappingTask: ProbeTask {
    private let socket: ProbeSocket
    private let servers: [NetworkAddress]
    private var trial = MappingTrial()

    /// Nil where there is nobody to ask, or no socket to be had.
    init?(_ servers: [NetworkAddress], isIPv6: Bool) {
        let alike = servers.filter { $0.isIPv6 == isIPv6 }
        guard !alike.isEmpty, let socket = try? ProbeSocket(isStream: false, isIPv6: isIPv6),
            (try? socket.bindAny(isIPv6: isIPv6)) != nil
        else { return nil }
        self.socket = socket
        self.servers = alike
    }

    var descriptor: Int32 { socket.descriptor }
    var wantsToWrite: Bool { false }
    var deadline: MediaTime? { trial.deadline }
    var kind: NATKind { NATKind(trial.answers, port: socket.port, own: HostAddresses.own()) }

    func outcome(of server: NetworkAddress) -> MappingTrial.Outcome? {
        trial.answers.first { $0.server == server }?.outcome
    }

    func begin(now: MediaTime) { send(trial.begin(servers, now: now)) }

    func isReady(now: MediaTime) {
        while case .bytes(let bytes, let source) = socket.receive() {
            if let source { send(trial.take(bytes, from: source, now: now)) }
        }
    }

    func step(now: MediaTime) { send(trial.step(now: now)) }

    private func send(_ datagrams: [MappingTrial.Datagram]) {
        for datagram in datagrams {
            do throws(ProbeSocket.Failure) {
                try socket.send(datagram.bytes, to: datagram.server)
            } catch {
                trial.failed(datagram.server, error.description)
            }
        }
    }
}

/// One relay, on a socket of its own.
private final class RelayTask: ProbeTask {
    private let address: NetworkAddress
    private let isStream: Bool
    private var socket: ProbeSocket?
    private var trial: RelayTrial
    private var reader = STUNStreamReader()
    /// Until when a connection may take; nil once there is one.
    private var connectDeadline: MediaTime?

    private static let connectPatience = MediaTime.seconds(5)

    init(_ relay: ICESettings.Relay, at address: NetworkAddress) {
        self.address = address
        isStream = relay.transport == .tcp
        trial = RelayTrial(user: relay.user, password: relay.password, isReliable: isStream)
    }

    var outcome: RelayTrial.Outcome? { trial.outcome }
    var descriptor: Int32 { socket?.descriptor ?? -1 }
    var wantsToWrite: Bool { connectDeadline != nil }
    var deadline: MediaTime? { trial.outcome == nil ? connectDeadline ?? trial.deadline : nil }

    func begin(now: MediaTime) {
        do throws(ProbeSocket.Failure) {
            let socket = try ProbeSocket(isStream: isStream, isIPv6: address.isIPv6)
            self.socket = socket
            // Datagrams, too, so that it is heard when nobody listens there.
            try socket.connect(to: address)
            if isStream { connectDeadline = now + Self.connectPatience } else { send(trial.begin(now: now)) }
        } catch {
            trial.failed(error.description)
        }
    }

    func isReady(now: MediaTime) {
        if connectDeadline != nil { return connected(now: now) }
        while trial.outcome == nil, let reception = socket?.receive() {
            switch reception {
            case .nothing: return
            case .failed(let failure): trial.failed(failure.description)
            case .ended: trial.failed("it closed the connection")
            case .bytes(let bytes, _): take(bytes, now: now)
            }
        }
    }

    func step(now: MediaTime) {
        if let connectDeadline {
            if now >= connectDeadline { trial.failed("no connection within \(Self.connectPatience.seconds) s") }
        } else {
            send(trial.step(now: now))
        }
    }

    private func connected(now: MediaTime) {
        do throws(ProbeSocket.Failure) {
            try socket?.checkConnected()
            connectDeadline = nil
            send(trial.begin(now: now))
        } catch {
            trial.failed(error.description)
        }
    }

    private func take(_ bytes: [UInt8], now: MediaTime) {
        guard isStream else { return send(trial.take(bytes, now: now)) }
        guard let messages = reader.take(bytes) else { return trial.failed("it does not speak TURN") }
        for message in messages { send(trial.take(message, now: now)) }
    }

    private func send(_ bytes: [UInt8]?) {
        guard let bytes else { return }
        do throws(ProbeSocket.Failure) { try socket?.send(bytes) } catch { trial.failed(error.description) }
    }
}
