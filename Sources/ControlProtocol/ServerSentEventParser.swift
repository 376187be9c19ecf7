/// Reads a stream of server-sent events (HTML Living Standard, "Server-sent events"), line by line, bounded.
package struct ServerSentEventParser: Sendable {
    package struct Event: Sendable, Hashable {
        package var id: String?
        package var event: String
        package var data: String

        package init(id: String?, event: String, data: String) {
            self.id = id
            self.event = event
            self.data = data
        }
    }

    package static let maximumEventBytes = 1 << 20

    package struct TooLong: Error, Sendable {}

    private var line: [UInt8] = []
    private var id: String?
    private var name: String?
    private var data: [String] = []
    private var bytes = 0
    private var endsInReturn = false

    package init() {}

    package mutating func receive(_ text: some Sequence<UInt8>) throws(TooLong) -> [Event] {
        var events: [Event] = []
        for byte in text {
            // CR, LF and CR LF each end a line.
            if byte == 10, endsInReturn {
                endsInReturn = false
                continue
            }
            endsInReturn = byte == 13
            guard byte == 10 || byte == 13 else {
                bytes += 1
                guard bytes <= Self.maximumEventBytes else { throw TooLong() }
                line.append(byte)
                continue
            }
            if let event = takeLine() { events.append(event) }
        }
        return events
    }

    private mutating func takeLine() -> Event? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer {
                name = nil
                data = []
                bytes = 0
            }
            return data.isEmpty
                ? nil : Event(id: id, event: name ?? "message", data: data.joined(separator: "\n"))
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        let field = String(decoding: line[..<(colon ?? line.endIndex)], as: UTF8.self)
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case "id": id = text
        case "event": name = text
        case "data": data.append(text)
        default: break
        }
        // A comment alone, which is how the agent keeps the line alive, takes no room.
        if field.isEmpty { bytes -= line.count }
        return nil
    }
}
