import Glibc
import Signalling
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test(
        arguments: [
            (#"{"topic":"ptz","data":{"cmd":"ptz_up_press"},"message_id":7}"#, nil),
            (
                #" [1, -2.50 ,true,false,null,"a\"\\\/\b\f\n\r\té😀"] "#,
                "[1,-2.50,true,false,null,\"a\\\"\\\\/\\u0008\\u000c\\n\\u000d\\u0009é😀\"]"
            ),
            ("\u{FEFF}{}\0\0", "{}"), ("[1,2,]", "[1,2]"), (#"{"a":1,}"#, #"{"a":1}"#),
            (#"{"a":1}&_token=5"#, #"{"a":1}"#), ("9223372036854775807", nil), ("9223372036854775808", nil),
            ("1e5", nil),
            ("007", "7"), (#""\ud800x""#, "\"\u{FFFD}x\""), ("\"line\nline\"", #""line\nline""#), ("-0", "0"),
        ] as [(String, String?)])
    func reads(_ text: String, _ written: String?) throws {
        #expect(try #require(JSONReader.read(text)).text == written ?? text)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1", "[1 2]", "{1:2}", "{\"a\" 1}", "{\"a\":}", "tru", "nul", "'a'", "\"a", "\"\\x\"",
        "\"\\u12\"", "-", "1.", "1e", ".5", "[,]", "{,}", "{} {}", "ptz_left", "%7B%7D", "NaN",
        String(repeating: "1", count: 65),
    ])
    func refuses(_ text: String) {
        #expect(JSONReader.read(text) == nil)
    }

    @Test func sizesAreBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(JSONReader.read(nested(JSONReader.maximumDepth)) != nil)
        #expect(JSONReader.read(nested(JSONReader.maximumDepth + 1)) == nil)
        #expect(JSONReader.read(String(repeating: "{\"a\":", count: 4000)) == nil)
        func list(_ count: Int) -> String { "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]" }
        #expect(JSONReader.read(list(JSONReader.maximumValues - 1)) != nil)
        #expect(JSONReader.read(list(JSONReader.maximumValues)) == nil)
        let most = "\"" + String(repeating: "a", count: JSONReader.maximumBytes - 2) + "\""
        #expect(JSONReader.read(most) != nil)
        #expect(JSONReader.read(most + " ") == nil)
    }

    @Test func valuesAreFoundInEitherForm() throws {
        let value = try #require(JSONReader.read(#"{"a":"12","b":12,"c":1.5,"d":{"e":true},"a":"second"}"#))
        #expect(value["a"]?.integer == 12 && value["b"]?.integer == 12 && value["c"]?.integer == nil)
        #expect(value["c"]?.double == 1.5 && value["d"]?["e"]?.word == "true" && value["x"] == nil)
        #expect(value["a"]?.word == "12" && value["b"]?.word == "12" && value["d"]?.word == nil)
    }

    /// What is read is written so that it is read the same again; nothing grows beyond what escapes cost.
    @Test func survivesMutations() {
        var random = SplitMix64(state: 0x1505)
        let seeds = [
            #"{"topic":"ptz","data":{"cmd":"ptz_right_press","speed":50},"message_id":7}"#,
            #"[{"a":[1,-2.5e3,true,null]},"\u00e9\ud83d\ude00\n",{"b":{"c":{"d":[[[]]]}}}]"#,
            #"{"iv_private_cmd":"call_answer"}"#, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
        ].map { Array($0.utf8) }
        let interesting =
            Array("{}[]\",:\\/ubfnrt0123456789abcdefdDE+-. \0\u{1}&".utf8) + [0x80, 0xC3, 0xED, 0xEF, 0xFF]
        var accepted = 0
        for _ in 0..<FuzzRounds.count {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count + 1))
                let byte = interesting[Int(random.next() % UInt64(interesting.count))]
                switch random.next() % 5 {
                case 0: bytes.insert(byte, at: place)
                case 1 where place < bytes.count: bytes[place] = byte
                case 2 where place < bytes.count: bytes.remove(at: place)
                case 3: bytes.removeSubrange(place...)
                default: bytes.append(contentsOf: bytes.prefix(place))
                }
            }
            guard let value = JSONReader.read(bytes) else { continue }
            accepted += 1
            let text = value.text
            if text.utf8.count > 6 * bytes.count { Issue.record("\(bytes.count) bytes became \(text.utf8.count)") }
            if text.utf8.count <= JSONReader.maximumBytes, JSONReader.read(text)?.text != text {
                Issue.record("\(text) is not read as it is written")
            }
        }
        #expect(accepted > FuzzRounds.count / 50)
    }
}

/// How many mutated inputs each fuzz test tries: a million, or what EDGE_AGENT_FUZZ_ROUNDS says, for slow machines.
enum FuzzRounds {
    static let count = getenv("EDGE_AGENT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1_000_000
}
