import ControlProtocol
import Testing

@Suite struct ServerSentEventParserTests {
    @Test(arguments: [1, 2, 5, 1000], ["\n", "\r\n", "\r"])
    func eventsAreReadInPiecesOfAnySize(pieces: Int, lineEnd: String) throws {
        let lines = [
            ": keep-alive", "", "id: 1", "event: push.opened", "data: {\"a\":", "data:1}", "", "data", "",
            "event: none", "",
            "data: x", "", "id: unfinished",
        ]
        let bytes = Array(lines.joined(separator: lineEnd).utf8)
        var parser = ServerSentEventParser()
        var events: [ServerSentEventParser.Event] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            events += try parser.receive(bytes[start..<min(bytes.count, start + pieces)])
        }
        #expect(
            events == [
                .init(id: "1", event: "push.opened", data: "{\"a\":\n1}"), .init(id: "1", event: "message", data: ""),
                .init(id: "1", event: "message", data: "x"),
            ])
    }

    @Test func whatTheAgentWritesIsRead() throws {
        let report = EventReport(id: 9, event: "push.closed", channel: 2, push: ModelTests.push)
        var parser = ServerSentEventParser()
        let events = try parser.receive(report.serverSentEvent)
        #expect(events.count == 1)
        #expect(events.first?.id == "9")
        #expect(events.first?.event == "push.closed")
        #expect(try ControlCoding.decode(EventReport.self, from: (events.first?.data ?? "").utf8) == report)
    }

    @Test func anEventIsBounded() {
        var parser = ServerSentEventParser()
        #expect(throws: ServerSentEventParser.TooLong.self) {
            for _ in 0..<20_000 { _ = try parser.receive(Array("data: \(String(repeating: "x", count: 100))\n".utf8)) }
        }
    }

    @Test func keepAliveTakesNoRoom() throws {
        var parser = ServerSentEventParser()
        for _ in 0..<100_000 { #expect(try parser.receive(Array(": nothing happened\n\n".utf8)).isEmpty) }
    }
}
