import CDelayedLibraries
import CMosquitto
import Logging
import Media
import PeerToPeer
import Publishing
import Streaming
import Synchronization

/// A connection to a broker that is made again whenever it breaks, on a thread of its own, `rendezvous`. What is
/// published while there is none is lost: it would be old when it arrives. Any thread.
final class BrokerConnection: Sendable {
    private struct State {
        var broker = BrokerState.connecting
        /// Alive from the thread's start to its end.
        var client: ClientHandle?
        var isStopping = false
        /// Published, and not acknowledged.
        var waiting = 0
        /// What the broker said to the last attempt.
        var refusal: String?
    }

    /// libmosquitto's own locks make it safe to publish from any thread.
    private struct ClientHandle: @unchecked Sendable { let pointer: OpaquePointer }

    private struct Handlers: Sendable {
        let onConnect: @Sendable () -> Void
        let onMessage: @Sendable (String, [UInt8]) -> Void
    }

    private let settings: RendezvousSettings
    private let name: String
    private let subscriptions: [String]
    private let lastWords: (topic: String, payload: String)
    private let logger: Logger
    private let monitor = Monitor(State())
    private let handlers = Mutex<Handlers?>(nil)
    private let thread = Mutex<MediaThread?>(nil)

    /// Messages that wait for the broker's acknowledgement; more are dropped.
    static let maximumWaiting = 256
    /// At least once: both sides bear a message that comes twice.
    private static let quality: Int32 = 1
    private static let turnMilliseconds: Int32 = 1000
    private static let farewell = MediaTime.milliseconds(500)

    /// - Parameters:
    ///   - name: what the broker knows the client by; a second one of the same name would take its place.
    ///   - lastWords: what the broker says, retained, when the client is gone without a word.
    init(
        _ settings: RendezvousSettings, name: String, subscriptions: [String],
        lastWords: (topic: String, payload: String), logger: Logger
    ) {
        self.settings = settings
        self.name = name
        self.subscriptions = subscriptions
        self.lastWords = lastWords
        self.logger = logger
    }

    var state: BrokerState { monitor.withLock { $0.broker } }

    /// Both are called on the connection's thread and must not block.
    func start(
        onConnect: @escaping @Sendable () -> Void, onMessage: @escaping @Sendable (String, [UInt8]) -> Void
    ) {
        handlers.withLock { $0 = Handlers(onConnect: onConnect, onMessage: onMessage) }
        thread.withLock { $0 = MediaThread(name: "rendezvous") { self.run() } }
    }

    /// Behind what was published. Blocks until the broker has it, for a moment.
    func stop() {
        monitor.withLock { state in
            state.isStopping = true
            if let client = state.client { mosquitto_disconnect(client.pointer) }
        }
        monitor.notify()
        // A broker that does not answer is not waited for.
        _ = thread.withLock { $0 }?.join(timeout: Self.farewell)
    }

    /// False where it is lost.
    @discardableResult
    func publish(_ payload: String, to topic: String, isRetained: Bool = false) -> Bool {
        monitor.withLock { state -> Bool in
            guard state.broker == .connected, let client = state.client, state.waiting < Self.maximumWaiting else {
                return false
            }
            let bytes = Array(payload.utf8)
            guard
                mosquitto_publish(
                    client.pointer, nil, topic, Int32(bytes.count), bytes, Self.quality, isRetained)
                    == MOSQ_ERR_SUCCESS.code
            else { return false }
            state.waiting += 1
            return true
        }
    }

    // MARK: On its thread

    private func run() {
        if let reason = cdelayed_open_mosquitto() {
            return away("libmosquitto cannot be opened: \(String(cString: reason))")
        }
        mosquitto_lib_init()
        guard let client = makeClient() else { return away("libmosquitto refuses the settings") }
        monitor.withLock { $0.client = ClientHandle(pointer: client) }
        var backoff = Backoff(Backoff.Settings())
        while !isStopping {
            let start = SystemMediaClock().now()
            let reason = serve(client)
            guard !isStopping else { break }
            away(reason)
            backoff.sentWell(for: SystemMediaClock().now() - start)
            let pause = backoff.next(.normal, random: .random(in: 0...1))
            _ = monitor.wait(until: SystemMediaClock().now() + pause) { $0.isStopping ? true : nil }
        }
        monitor.withLock { state in
            state.client = nil
            state.broker = .stopped
        }
        mosquitto_destroy(client)
    }

    private var isStopping: Bool { monitor.withLock { $0.isStopping } }

    /// - Returns: why the connection ended.
    private func serve(_ client: OpaquePointer) -> String {
        monitor.withLock { $0.refusal = nil }
        var code = mosquitto_connect(
            client, settings.host, Int32(settings.port), RendezvousSettings.keepAliveSeconds)
        while code == MOSQ_ERR_SUCCESS.code {
            code = mosquitto_loop(client, Self.turnMilliseconds, 1)
            if isStopping, state != .connected { break }
        }
        return monitor.withLock { $0.refusal } ?? String(cString: mosquitto_strerror(code))
    }

    /// One line for each change.
    private func away(_ reason: String) {
        let isNews = monitor.withLock { state in
            defer {
                state.broker = .away(reason)
                state.waiting = 0
            }
            return state.broker != .away(reason)
        }
        guard isNews else { return }
        logger.warning(
            "the broker is away", metadata: ["broker": "\(settings.host):\(settings.port)", "detail": "\(reason)"])
    }

    private func makeClient() -> OpaquePointer? {
        guard let client = mosquitto_new(name, true, Unmanaged.passUnretained(self).toOpaque()) else { return nil }
        guard configure(client) else {
            mosquitto_destroy(client)
            return nil
        }
        mosquitto_connect_callback_set(client) { _, data, code in
            if let data { Unmanaged<BrokerConnection>.fromOpaque(data).takeUnretainedValue().connected(code) }
        }
        mosquitto_publish_callback_set(client) { _, data, _ in
            guard let data else { return }
            Unmanaged<BrokerConnection>.fromOpaque(data).takeUnretainedValue().monitor.withLock { state in
                state.waiting = max(state.waiting - 1, 0)
            }
        }
        mosquitto_message_callback_set(client) { _, data, message in
            guard let data, let message = message?.pointee, let topic = message.topic else { return }
            let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
            Unmanaged<BrokerConnection>.fromOpaque(data).takeUnretainedValue()
                .received(String(cString: topic), payload)
        }
        return client
    }

    private func configure(_ client: OpaquePointer) -> Bool {
        let words = Array(lastWords.payload.utf8)
        // Publishing comes from other threads than the loop.
        guard mosquitto_threaded_set(client, true) == MOSQ_ERR_SUCCESS.code,
            mosquitto_will_set(client, lastWords.topic, Int32(words.count), words, Self.quality, true)
                == MOSQ_ERR_SUCCESS.code
        else { return false }
        if let user = settings.user,
            mosquitto_username_pw_set(client, user, settings.password?.reveal()) != MOSQ_ERR_SUCCESS.code
        {
            return false
        }
        guard settings.usesTLS else { return true }
        // The system's own authorities lie in a folder, each under its hash.
        let folder = settings.authorities == nil ? "/etc/ssl/certs" : nil
        return mosquitto_tls_set(
            client, settings.authorities, folder, settings.certificate, settings.key, nil) == MOSQ_ERR_SUCCESS.code
    }

    private func connected(_ code: Int32) {
        guard code == 0 else {
            // It closes the connection now.
            let reason = String(cString: mosquitto_connack_string(code))
            return monitor.withLock { $0.refusal = reason }
        }
        let client = monitor.withLock { state in
            state.broker = .connected
            state.waiting = 0
            return state.client
        }
        guard let client else { return }
        for topic in subscriptions { mosquitto_subscribe(client.pointer, nil, topic, Self.quality) }
        logger.notice("the broker is there", metadata: ["broker": "\(settings.host):\(settings.port)"])
        handlers.withLock { $0 }?.onConnect()
    }

    private func received(_ topic: String, _ payload: UnsafeRawBufferPointer) {
        guard payload.count <= RendezvousRequest.maximumBytes else { return }
        handlers.withLock { $0 }?.onMessage(topic, Array(payload))
    }
}

extension mosq_err_t {
    /// As functions return it.
    fileprivate var code: Int32 { Int32(rawValue) }
}
