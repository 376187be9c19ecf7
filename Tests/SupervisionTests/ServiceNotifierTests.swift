import Glibc
import Supervision
import Testing

@Suite struct ServiceNotifierTests {
    /// A datagram socket as the service manager has one.
    private final class Manager {
        let file: Int32
        let name: String

        init(name: String) throws {
            self.name = name
            file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            let isAbstract = bytes[0] == UInt8(ascii: "@")
            if isAbstract { bytes[0] = 0 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, length) }
            }
            try #require(result == 0)
        }

        deinit {
            close(file)
            if name.hasPrefix("/") { unlink(name) }
        }

        /// What has arrived; nil where nothing has.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(file, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    @Test(arguments: ["/tmp/edge-agent-notify-\(getpid())", "@edge-agent-notify-\(getpid())"])
    func everyMessageArrives(name: String) throws {
        let manager = try Manager(name: name)
        let notifier = ServiceNotifier(socketName: name)
        #expect(notifier.ready(status: "1 channel"))
        #expect(manager.next() == "READY=1\nSTATUS=1 channel")
        #expect(notifier.status("two\nlines"))
        #expect(manager.next() == "STATUS=two lines")
        #expect(notifier.watchdog())
        #expect(manager.next() == "WATCHDOG=1")
        #expect(notifier.reloading(monotonic: 12345))
        #expect(manager.next() == "RELOADING=1\nMONOTONIC_USEC=12345\nSTATUS=reading the configuration")
        #expect(notifier.stopping())
        #expect(manager.next() == "STOPPING=1\nSTATUS=stopping")
        #expect(manager.next() == nil)
    }

    @Test(arguments: [nil, "", "relative", "/nonexistent/socket", "@" + String(repeating: "x", count: 200)])
    func withoutAManagerNothingHappens(name: String?) {
        #expect(!ServiceNotifier(socketName: name).ready(status: ""))
    }

    @Test func theWatchdogIsForTheProcessItNames() {
        func interval(_ values: [String: String]) -> Int64? {
            ServiceNotifier.watchdogInterval(environment: { values[$0] }, pid: 42)
        }
        #expect(interval([:]) == nil)
        #expect(interval(["WATCHDOG_USEC": "10000000"]) == 10_000_000)
        #expect(interval(["WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "42"]) == 10_000_000)
        #expect(interval(["WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "43"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "0"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "soon"]) == nil)
    }
}
