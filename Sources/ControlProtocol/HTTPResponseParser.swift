/// Reads an HTTP/1.1 response as it comes in, piece by piece: with Content-Length, chunked, or until the end of the
/// connection (RFC 9112, sections 2 to 7). No I/O; all sizes are bounded.
package struct HTTPResponseParser: Sendable {
    package struct Limits: Sendable {
        /// Status line and header fields together, also chunk headers and trailers.
        package var headBytes = 64 << 10
        package init() {}
    }

    package struct Head: Sendable, Hashable {
        package var status: Int
        /// Names in lower case.
        package var fields: [String: String]
    }

    package enum Event: Sendable, Hashable {
        case head(Head)
        case body([UInt8])
        /// The response is complete; further bytes are refused.
        case end
    }

    package struct Failure: Error, Sendable, Hashable {
        package let message: String
        package init(_ message: String) { self.message = message }
    }

    private enum State: Sendable {
        case head
        case counted(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        case untilClosed
        case complete
    }

    private let limits: Limits
    private var state = State.head
    /// What is not yet a whole line.
    private var line: [UInt8] = []
    private var head: [String] = []
    private var headBytes = 0

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    package mutating func receive(_ bytes: some Collection<UInt8>) throws(Failure) -> [Event] {
        var events: [Event] = []
        var rest = ArraySlice(Array(bytes))
        while !rest.isEmpty {
            switch state {
            case .complete: throw Failure("bytes after the end of the response")
            case .untilClosed:
                events.append(.body(Array(rest)))
                rest = []
            case .counted(let left):
                let part = rest.prefix(left)
                rest = rest.dropFirst(part.count)
                events.append(.body(Array(part)))
                if part.count == left { finish(&events) } else { state = .counted(left: left - part.count) }
            case .chunk(let left):
                let part = rest.prefix(left)
                rest = rest.dropFirst(part.count)
                events.append(.body(Array(part)))
                state = part.count == left ? .chunkEnd : .chunk(left: left - part.count)
            case .head, .chunkSize, .chunkEnd, .trailers:
                guard let text = try takeLine(&rest) else { return events }
                try take(text, &events)
            }
        }
        return events
    }

    /// The connection has ended.
    package mutating func close() throws(Failure) -> [Event] {
        switch state {
        case .complete: return []
        case .untilClosed:
            state = .complete
            return [.end]
        default: throw Failure("the connection ended within the response")
        }
    }

    private mutating func finish(_ events: inout [Event]) {
        state = .complete
        events.append(.end)
    }

    /// Up to and without CR LF or LF; nil where it has not come yet.
    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) throws(Failure) -> String? {
        let end = rest.firstIndex(of: 10)
        let part = rest[..<(end ?? rest.endIndex)]
        headBytes += part.count + 1
        guard headBytes <= limits.headBytes else { throw Failure("the response's head is too long") }
        line += part
        rest = end.map { rest[($0 + 1)...] } ?? []
        guard end != nil else { return nil }
        if line.last == 13 { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func take(_ text: String, _ events: inout [Event]) throws(Failure) {
        switch state {
        case .head:
            guard text.isEmpty else {
                head.append(text)
                return
            }
            let response = try Self.parse(head)
            head = []
            headBytes = 0
            // Informational answers come before the real one.
            if (100..<200).contains(response.status), response.status != 101 { return }
            events.append(.head(response))
            if response.status == 204 || response.status == 304 {
                finish(&events)
            } else if let coding = response.fields["transfer-encoding"] {
                guard coding.lowercased() == "chunked" else { throw Failure("unknown transfer coding") }
                state = .chunkSize
            } else if let length = response.fields["content-length"] {
                guard let count = Int(length), count >= 0, length.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    throw Failure("Content-Length is no number")
                }
                if count == 0 { finish(&events) } else { state = .counted(left: count) }
            } else {
                state = .untilClosed
            }
        case .chunkSize:
            let digits = text.prefix { $0 != ";" && $0 != " " }
            guard !digits.isEmpty, digits.utf8.count <= 8, let count = Int(digits, radix: 16), count >= 0 else {
                throw Failure("a chunk's size is no number")
            }
            headBytes = 0
            state = count == 0 ? .trailers : .chunk(left: count)
        case .chunkEnd:
            guard text.isEmpty else { throw Failure("a chunk is longer than its size") }
            state = .chunkSize
        case .trailers:
            if text.isEmpty { finish(&events) }
        default: break
        }
    }

    private static func parse(_ lines: [String]) throws(Failure) -> Head {
        let parts = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3, let status = Int(parts[1]),
            status >= 100
        else { throw Failure("not an HTTP response") }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure("a header field without a colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[line[..<colon].lowercased()] = String(value)
        }
        return Head(status: status, fields: fields)
    }
}
