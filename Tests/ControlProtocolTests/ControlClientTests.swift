import ControlProtocol
import Glibc
import Testing

@Suite struct ControlClientTests {
    /// Answers one connection with fixed bytes, on a thread of its own.
    private struct Agent {
        let path: String

        init(_ name: String, answer: String) throws {
            path = "/tmp/edge-agent-\(name)-\(getpid()).sock"
            unlink(path)
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(bound == 0)
            try #require(listen(listener, 1) == 0)
            let bytes = Array(answer.utf8)
            Thread.start {
                let connection = accept(listener, nil, nil)
                var request = [UInt8](repeating: 0, count: 4096)
                var received: [UInt8] = []
                while !received.contains(sequence: Array("\r\n\r\n".utf8)) {
                    let count = read(connection, &request, request.count)
                    guard count > 0 else { break }
                    received += request[..<count]
                }
                _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                close(connection)
                close(listener)
            }
        }
    }

    @Test func aRequestIsAnswered() throws {
        let agent = try Agent(
            "answer", answer: "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        defer { unlink(agent.path) }
        let response = try ControlClient(socket: agent.path).send(method: "POST", path: "/x", body: Array("{}".utf8))
        #expect(response == .init(status: 201, contentType: "application/json", body: Array("{}".utf8)))
    }

    @Test func eventsComeUntilTheTakerHasEnough() throws {
        let agent = try Agent(
            "events",
            answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n")
        defer { unlink(agent.path) }
        var seen: [String] = []
        try ControlClient(socket: agent.path).events {
            seen.append($0.data)
            return seen.count < 2
        }
        #expect(seen == ["a", "b"])
    }

    @Test func nobodyAtTheSocketMeansNotRunning() {
        let client = ControlClient(socket: "/nonexistent/control.sock")
        #expect(throws: ControlClient.Failure.notRunning(socket: "/nonexistent/control.sock")) {
            try client.send(method: "GET", path: "/")
        }
    }

    @Test func aConnectionThatBreaksIsReported() throws {
        let agent = try Agent("broken", answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        defer { unlink(agent.path) }
        #expect(throws: ControlClient.Failure.broken("the connection ended within the response")) {
            try ControlClient(socket: agent.path).send(method: "GET", path: "/")
        }
    }

    @Test func aPathTooLongForASocketIsRefused() {
        #expect(throws: ControlClient.Failure.self) {
            try ControlClient(socket: "/" + String(repeating: "x", count: 200)).send(method: "GET", path: "/")
        }
    }
}

/// A detached thread; the test's answering side must not sit on the pool.
private enum Thread {
    private final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }
}

extension [UInt8] {
    fileprivate func contains(sequence: [UInt8]) -> Bool {
        guard count >= sequence.count else { return false }
        return (0...(count - sequence.count)).contains { self[$0..<($0 + sequence.count)].elementsEqual(sequence) }
    }
}
