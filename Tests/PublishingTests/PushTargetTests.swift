import Publishing
import Testing

@Suite struct PushTargetTests {
    @Test func parts() throws {
        let target = try PushTarget("rtmp://us%40er:p%3Ass@media.example:1936/app/instance/key?a=b/c&d=e")
        #expect(target.scheme == .rtmp)
        #expect(target.host == "media.example")
        #expect(target.port == 1936)
        #expect(target.user == "us@er")
        #expect(target.password == "p:ss")
        #expect(target.application == "app/instance")
        #expect(target.key == "key?a=b/c&d=e")
        #expect(target.tcURL(withQuery: false) == "rtmp://media.example:1936/app/instance")
        #expect(target.tcURL(withQuery: true) == "rtmp://media.example:1936/app/instance?a=b/c&d=e")
        #expect(target.redacted == "rtmp://media.example:1936/app/instance/…")
    }

    @Test func defaults() throws {
        #expect(try PushTarget("RTMP://h/a/k").port == 1935)
        #expect(try PushTarget("rtmps://h/a/k").port == 443)
        #expect(try PushTarget("http://h/k.flv").port == 80)
        #expect(try PushTarget("https://h/k.flv?x=1").requestTarget == "/k.flv?x=1")
        #expect(try PushTarget("rtmp://h/a/k%2F").key == "k%2F")
    }

    @Test func addresses() throws {
        let target = try PushTarget("rtmp://[2001:db8::1]:1935/a/k")
        #expect(target.host == "2001:db8::1")
        #expect(target.tcURL(withQuery: false) == "rtmp://[2001:db8::1]:1935/a")
        #expect(try PushTarget("rtmp://[::1]/a/k").port == 1935)
        #expect(try PushTarget("rtmp://192.0.2.1/a/k").host == "192.0.2.1")
    }

    @Test(arguments: [
        ("ftp://h/a/k", PushTarget.ParseError.unknownScheme("ftp")), ("rtmp:/h/a/k", .unknownScheme("rtmp:/h/a/k")),
        ("rtmp:///a/k", .noHost), ("rtmp://h", .noApplication), ("rtmp://h/", .noApplication), ("rtmp://h/a", .noKey),
        ("rtmp://h/a/", .noKey), ("rtmp://h:0/a/k", .badPort("0")), ("rtmp://h:70000/a/k", .badPort("70000")),
        ("rtmp://h:x/a/k", .badPort("x")), ("rtmp://2001:db8::1/a/k", .badHost), ("rtmp://[::1/a/k", .badHost),
        ("rtmp://h /a/k", .badCharacter), ("rtmp://h/a/k\r\n", .badCharacter), ("http://h/", .noKey),
        ("rtmp://h!/a/k", .badHost),
    ])
    func mistakes(text: String, error: PushTarget.ParseError) {
        #expect(throws: error) { try PushTarget(text) }
    }

    @Test func tooLong() {
        #expect(throws: PushTarget.ParseError.tooLong) {
            try PushTarget("rtmp://h/a/" + String(repeating: "k", count: 2048))
        }
    }
}
