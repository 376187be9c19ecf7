import ControlProtocol
import Testing

@Suite struct HTTPResponseParserTests {
    private static let responses: [(text: String, status: Int, body: String)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.0 404\r\ncontent-length:0\r\n\r\n", 404, ""),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n",
            200,
            "hello world"
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201, "x"),
    ]

    /// Feeds pieces of a size and joins what comes out.
    private func read(
        _ text: String, pieces: Int, closes: Bool = false
    ) throws -> (head: HTTPResponseParser.Head?, body: String, isComplete: Bool) {
        var parser = HTTPResponseParser()
        var events: [HTTPResponseParser.Event] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            events += try parser.receive(bytes[start..<min(bytes.count, start + pieces)])
        }
        if closes { events += try parser.close() }
        var head: HTTPResponseParser.Head?
        var body: [UInt8] = []
        for event in events {
            switch event {
            case .head(let value): head = value
            case .body(let part): body += part
            case .end: break
            }
        }
        return (head, String(decoding: body, as: UTF8.self), events.last == .end)
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func responsesAreReadInPiecesOfAnySize(pieces: Int) throws {
        for response in Self.responses {
            let result = try read(response.text, pieces: pieces)
            #expect(result.head?.status == response.status)
            #expect(result.body == response.body)
            #expect(result.isComplete)
        }
    }

    @Test func fieldNamesAreInLowerCase() throws {
        let head = try read("HTTP/1.1 200 OK\r\nConTent-Type:  image/jpeg\r\nContent-Length: 0\r\n\r\n", pieces: 9).head
        #expect(head?.fields["content-type"] == "image/jpeg")
    }

    @Test func withoutALengthTheEndOfTheConnectionIsTheEnd() throws {
        let result = try read("HTTP/1.1 200 OK\r\n\r\nabc", pieces: 4, closes: true)
        #expect(result.body == "abc")
        #expect(result.isComplete)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func anEndTooEarlyIsAFailure(text: String) {
        #expect(throws: HTTPResponseParser.Failure.self) { try read(text, pieces: 100, closes: true) }
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 -10 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
    ])
    func malformedResponsesAreFailures(text: String) {
        #expect(throws: HTTPResponseParser.Failure.self) { try read(text, pieces: 1000) }
    }

    @Test func theHeadIsBounded() {
        var parser = HTTPResponseParser()
        #expect(throws: HTTPResponseParser.Failure("the response's head is too long")) {
            for _ in 0..<10_000 { _ = try parser.receive(Array("X: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n".utf8)) }
        }
    }

    @Test func brokenResponsesNeverCrash() {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func random(_ bound: Int) -> Int {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
        }
        let seeds = Self.responses.map { Array($0.text.utf8) }
        var failures = 0
        for _ in 0..<50_000 {
            var bytes = seeds[random(seeds.count)]
            for _ in 0...random(3) { bytes[random(bytes.count)] = UInt8(random(256)) }
            var parser = HTTPResponseParser()
            let cut = random(bytes.count)
            do {
                _ = try parser.receive(bytes[..<cut])
                _ = try parser.receive(bytes[cut...])
            } catch {
                failures += 1
            }
        }
        #expect(failures > 1000)
        #expect(failures < 50_000)
    }
}
