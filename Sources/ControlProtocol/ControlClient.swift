import Glibc

/// Speaks HTTP over the agent's Unix socket: one request, one connection, blocking the calling thread. For command-line
/// tools and threads of their own, not for the Swift concurrency pool.
package struct ControlClient: Sendable {
    package struct Response: Sendable, Hashable {
        package var status: Int
        package var contentType: String
        package var body: [UInt8]

        package init(status: Int, contentType: String, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// Nobody listens at the socket.
        case notRunning(socket: String)
        case notAllowed(socket: String)
        /// The agent took longer than it may.
        case timedOut(seconds: Int)
        case broken(String)

        package var description: String {
            switch self {
            case .notRunning(let socket):
                "edge-agent is not running? (nobody answers at \(socket)); start it with "
                    + "\"systemctl start edge-agent\" or \"edge-agent run\", or name its socket with --socket PATH"
            case .notAllowed(let socket):
                "\(socket) may not be used by this user; try with sudo, or join the group of the socket"
            case .timedOut(let seconds): "edge-agent did not answer within \(seconds) s; see its log"
            case .broken(let detail): "the answer of edge-agent cannot be read: \(detail)"
            }
        }
    }

    package static let defaultSocket = "/run/edge-agent/control.sock"
    /// A snapshot is the largest answer.
    package static let maximumBodyBytes = 32 << 20

    package var socket: String
    /// How long any single wait for the agent may last.
    package var timeoutSeconds: Int

    package init(socket: String = Self.defaultSocket, timeoutSeconds: Int = 10) {
        self.socket = socket
        self.timeoutSeconds = timeoutSeconds
    }

    package func send(method: String, path: String, body: [UInt8]? = nil) throws(Failure) -> Response {
        var collected: [UInt8] = []
        var head: HTTPResponseParser.Head?
        try exchange(method: method, path: path, body: body) { event throws(Failure) in
            switch event {
            case .head(let value): head = value
            case .body(let bytes):
                guard collected.count + bytes.count <= Self.maximumBodyBytes else {
                    throw .broken("it is larger than \(Self.maximumBodyBytes >> 20) MiB")
                }
                collected += bytes
            case .end: break
            }
            return true
        }
        guard let head else { throw .broken("it is empty") }
        return Response(status: head.status, contentType: head.fields["content-type"] ?? "", body: collected)
    }

    /// Hands a body of any length to `take`, piece by piece, until that answers false.
    ///
    /// - Returns: the answer; its body is empty unless it is a refusal.
    package func download(path: String, _ take: ([UInt8]) -> Bool) throws(Failure) -> Response {
        var head: HTTPResponseParser.Head?
        var refusal: [UInt8] = []
        try exchange(method: "GET", path: path, body: nil) { event throws(Failure) in
            switch event {
            case .head(let value): head = value
            case .body(let bytes) where head?.status == 200: return take(bytes)
            case .body(let bytes): refusal += bytes.prefix(max(0, 65536 - refusal.count))
            case .end: break
            }
            return true
        }
        guard let head else { throw .broken("it is empty") }
        return Response(status: head.status, contentType: head.fields["content-type"] ?? "", body: refusal)
    }

    /// The events of `GET /api/v1/events` as they happen, until `take` answers false or the agent ends.
    package func events(
        path: String = "/api/v1/events", _ take: (ServerSentEventParser.Event) -> Bool
    ) throws(Failure) {
        var parser = ServerSentEventParser()
        var status = 0
        var refusal: [UInt8] = []
        try exchange(method: "GET", path: path, body: nil, waitsForEver: true) { event throws(Failure) in
            switch event {
            case .head(let head): status = head.status
            case .body(let bytes) where status == 200:
                let events: [ServerSentEventParser.Event]
                do { events = try parser.receive(bytes) } catch { throw .broken("an event is too long") }
                for event in events where !take(event) { return false }
            case .body(let bytes): refusal += bytes.prefix(max(0, 65536 - refusal.count))
            case .end: break
            }
            return true
        }
        guard status == 200 else {
            let report = try? ControlCoding.decode(ErrorReport.self, from: refusal)
            throw .broken(report?.error.message ?? "status \(status)")
        }
    }

    /// Sends a body as it is made, in chunks, from when the agent takes it.
    ///
    /// - Parameter next: the next piece; nil at the end. May take its time. Not called again once the agent has answered.
    package func upload(path: String, _ next: () -> [UInt8]?) throws(Failure) -> Response {
        let connection = try connect()
        defer { close(connection) }
        let request = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        try write(Array(request.utf8), to: connection)
        var answer = CollectedAnswer()
        while answer.status == nil { try answer.receive(from: connection, self) }
        var isEnded = answer.status != 200
        while !isEnded, let piece = next() {
            while answer.isReadable(connection), !answer.isComplete { try answer.receive(from: connection, self) }
            isEnded = answer.isComplete
            guard !isEnded, !piece.isEmpty else { continue }
            try write(
                Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [13, 10], to: connection)
        }
        if !isEnded { try write(Array("0\r\n\r\n".utf8), to: connection) }
        while !answer.isComplete { try answer.receive(from: connection, self) }
        return answer.response
    }

    /// An answer that comes while a body is still being sent.
    private struct CollectedAnswer {
        private var parser = HTTPResponseParser()
        private var buffer = [UInt8](repeating: 0, count: 16 << 10)
        private var type = ""
        private var body: [UInt8] = []
        private(set) var status: Int?

        var isComplete: Bool { parser.isComplete }
        var response: Response { Response(status: status ?? 0, contentType: type, body: body) }

        func isReadable(_ connection: Int32) -> Bool {
            var entry = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) > 0
        }

        mutating func receive(from connection: Int32, _ client: ControlClient) throws(Failure) {
            try client.wait(connection, for: Int16(POLLIN))
            let count = read(connection, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            guard count >= 0 else { throw .broken(String(cString: strerror(errno))) }
            let events: [HTTPResponseParser.Event]
            do {
                events = try count == 0 ? parser.close() : parser.receive(buffer[..<count])
            } catch {
                throw .broken(error.message)
            }
            for event in events {
                switch event {
                case .head(let head): (status, type) = (head.status, head.fields["content-type"] ?? "")
                case .body(let bytes): body += bytes.prefix(max(0, 65536 - body.count))
                case .end: break
                }
            }
            if count == 0, !parser.isComplete { throw .broken("it breaks off") }
        }
    }

    // MARK: The connection

    private func exchange(
        method: String, path: String, body: [UInt8]?, waitsForEver: Bool = false,
        _ take: (HTTPResponseParser.Event) throws(Failure) -> Bool
    ) throws(Failure) {
        let connection = try connect()
        defer { close(connection) }
        var request = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if let body { request += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        try write(Array((request + "\r\n").utf8) + (body ?? []), to: connection)
        var parser = HTTPResponseParser()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            if !waitsForEver { try wait(connection, for: Int16(POLLIN)) }
            let count = read(connection, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw .broken(String(cString: strerror(errno))) }
            let events: [HTTPResponseParser.Event]
            do {
                events = try count == 0 ? parser.close() : parser.receive(buffer[..<count])
            } catch {
                throw .broken(error.message)
            }
            for event in events where try !take(event) { return }
            if parser.isComplete { return }
        }
    }

    private func connect() throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(socket.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .broken("\(socket): a socket's path has at most 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let connection = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else { throw .broken(String(cString: strerror(errno))) }
        // A full backlog of the agent would otherwise hold us for ever.
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let reason = errno
            close(connection)
            switch reason {
            case ENOENT, ECONNREFUSED, ENOTDIR: throw .notRunning(socket: socket)
            case EACCES, EPERM: throw .notAllowed(socket: socket)
            case EAGAIN, EINPROGRESS: throw .timedOut(seconds: timeoutSeconds)
            default: throw .broken("\(socket): \(String(cString: strerror(reason)))")
            }
        }
        return connection
    }

    private func write(_ bytes: [UInt8], to connection: Int32) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { throw .timedOut(seconds: timeoutSeconds) }
            // The agent may answer, and close, before it has read all; the answer then says why.
            if count < 0, errno == EPIPE { return }
            guard count > 0 else { throw .broken(String(cString: strerror(errno))) }
            sent += count
        }
    }

    private func wait(_ connection: Int32, for event: Int16) throws(Failure) {
        var entry = pollfd(fd: connection, events: event, revents: 0)
        while true {
            let count = poll(&entry, 1, Int32(timeoutSeconds) * 1000)
            if count < 0, errno == EINTR { continue }
            guard count != 0 else { throw .timedOut(seconds: timeoutSeconds) }
            return
        }
    }
}
