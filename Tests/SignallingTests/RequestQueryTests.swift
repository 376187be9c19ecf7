import Signalling
import TestSupport
import Testing

@Suite struct RequestQueryTests {
    @Test(arguments: [
        ("action=live&channel=0", "action", "live"),
        ("?action=live", "action", "live"),
        ("channel=3&action=live", "channel", "3"),
        ("a=1&a=2", "a", "1"),
        ("quality=&x=1", "quality", ""),
        ("quality", "quality", ""),
        ("&&a=1&&", "a", "1"),
        ("a=b=c", "a", "b=c"),
        ("a=%7B%22x%22%3a1%7D", "a", "{\"x\":1}"),
        ("a={\"x\":1}", "a", "{\"x\":1}"),
        ("a=100%", "a", "100%"),
        ("a=%4", "a", "%4"),
        ("a=%zz%41", "a", "%zzA"),
        ("a=%41", "a", "A"),
        ("a=1+1", "a", "1+1"),
        ("%61=1", "a", "1"),
        ("n=%E6%98%BC", "n", "昼"),
    ])
    func reads(_ text: String, _ key: String, _ value: String) throws {
        #expect(try RequestQuery(text)[key] == value)
    }

    @Test func missingKeysAreNil() throws {
        #expect(try RequestQuery("")["a"] == nil)
        #expect(try RequestQuery("=1&b")["a"] == nil)
        #expect(try RequestQuery("A=1")["a"] == nil)
    }

    @Test(arguments: [
        ("n=12", RequestQuery.Number.value(12)), ("n=12}", .value(12)), ("n=", .missing), ("m=1", .missing),
        ("n=x1", .unreadable), ("n=-1", .unreadable), ("n=99999999999999999999", .unreadable), ("n=007", .value(7)),
    ])
    func readsNumbers(_ text: String, _ number: RequestQuery.Number) throws {
        #expect(try RequestQuery(text).number("n") == number)
    }

    @Test func lengthIsBounded() throws {
        let longest = "a=" + String(repeating: "x", count: RequestQuery.maximumBytes - 2)
        #expect(try RequestQuery(longest)["a"]?.count == RequestQuery.maximumBytes - 2)
        #expect(throws: RequestRefusal.self) { try RequestQuery(longest + "x") }
    }

    @Test func pairsAreBounded() throws {
        let most = (0..<RequestQuery.maximumPairs).map { "k\($0)=\($0)" }.joined(separator: "&")
        #expect(try RequestQuery(most)["k63"] == "63")
        #expect(throws: RequestRefusal.self) { try RequestQuery(most + "&one=more") }
    }

    /// A million mutated queries: each is read or refused, and never holds more than it was given.
    @Test func surviveMutations() throws {
        var random = SplitMix64(state: 0x5eed)
        let seeds = [
            "action=live&channel=0&quality=high", "action=inner_define&channel=0&cmd=get_device_st&type=live&quality=",
            "?action=live&channel=12%7D&_crypto=off&requester=wxmp-ios&a=%E6%98%BC%2", "action=live",
            "action=playback&channel=1&start_time=1795000000&end_time=1795000600&type=0",
            "action=download&channel=0&file_name=20261121/140500-main-1f0c39ab.mp4&offset=100",
            "action=user_define&channel=0&cmd={\"topic\":\"ptz\",\"data\":{\"cmd\":\"ptz_right_press\"}}",
        ].map { Array($0.utf8) }
        let interesting = Array("&=%?+#0123456789abcdefABCDEF{}\"\0\u{7f}".utf8) + [0x80, 0xC3, 0xFF, 0xED]
        var accepted = 0
        for _ in 0..<FuzzRounds.count {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count + 1))
                let byte = interesting[Int(random.next() % UInt64(interesting.count))]
                switch random.next() % 4 {
                case 0: bytes.insert(byte, at: place)
                case 1 where place < bytes.count: bytes[place] = byte
                case 2 where place < bytes.count: bytes.remove(at: place)
                default: bytes.append(contentsOf: bytes.prefix(place))
                }
                if bytes.isEmpty { bytes = [byte] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let query = try? RequestQuery(text) else { continue }
            accepted += 1
            if let value = query["action"] { #expect(value.utf8.count <= 3 * text.utf8.count) }
            do throws(RequestRefusal) {
                let request = try StreamRequest(query) { (0...4).contains($0) }
                if !(0...4).contains(request.channel) { Issue.record("channel \(request.channel)") }
            } catch {
                if error.status != 404 { Issue.record("status \(error.status)") }
            }
        }
        #expect(accepted > FuzzRounds.count / 10 * 9)
    }
}
