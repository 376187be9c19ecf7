import Glibc

/// Tells the service manager how the agent is doing, by datagrams to the socket that NOTIFY_SOCKET names
/// (sd_notify(3)). Without one it does nothing. Any thread.
package struct ServiceNotifier: Sendable {
    /// As in the environment: a path, or "@" and an abstract name.
    package let socketName: String?

    package init(socketName: String?) {
        self.socketName = socketName.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
    }

    package static func fromEnvironment() -> ServiceNotifier {
        ServiceNotifier(socketName: getenv("NOTIFY_SOCKET").map { String(cString: $0) })
    }

    /// The agent does what it is there for.
    @discardableResult
    package func ready(status: String) -> Bool { send("READY=1\n\(statusLine(status))") }

    /// One line for `systemctl status`.
    @discardableResult
    package func status(_ text: String) -> Bool { send(statusLine(text)) }

    /// The agent is alive.
    @discardableResult
    package func watchdog() -> Bool { send("WATCHDOG=1") }

    @discardableResult
    package func stopping() -> Bool { send("STOPPING=1\n\(statusLine("stopping"))") }

    /// The configuration is read again; `ready` follows. With Type=notify-reload the manager compares the time.
    /// - Parameter monotonic: microseconds of CLOCK_MONOTONIC.
    @discardableResult
    package func reloading(monotonic: Int64) -> Bool {
        send("RELOADING=1\nMONOTONIC_USEC=\(monotonic)\n\(statusLine("reading the configuration"))")
    }

    private func statusLine(_ text: String) -> String {
        "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    }

    /// False where nobody is to be told, or could be.
    private func send(_ message: String) -> Bool {
        guard let socketName, let (name, length) = Self.address(socketName) else { return false }
        var address = name
        let connection = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        // The manager's queue may be full for a moment; it must never hold the agent.
        var limit = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(message.utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == bytes.count
    }

    private static func address(_ name: String) -> (sockaddr_un, socklen_t)? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        // An abstract name starts with a zero and has none at its end; a path has one.
        let isAbstract = bytes.first == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        guard bytes.count + (isAbstract ? 0 : 1) <= MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        return (address, socklen_t(start + bytes.count + (isAbstract ? 0 : 1)))
    }

    /// How often the service manager wants to hear from this process, in microseconds; nil where it does not wait.
    package static func watchdogInterval(environment: (String) -> String?, pid: Int32) -> Int64? {
        guard let interval = environment("WATCHDOG_USEC").flatMap({ Int64($0) }), interval > 0 else { return nil }
        if let wanted = environment("WATCHDOG_PID"), wanted != String(pid) { return nil }
        return interval
    }
}
