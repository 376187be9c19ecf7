import PeerToPeer
import TestSupport
import Testing

/// Of the examples in RFC 5769, and of mutilated messages.
@Suite struct STUNMessageTests {
    init() throws { try #require(Cryptography.open() == nil) }

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        hexadecimal.split { $0.isWhitespace }.flatMap { word in
            stride(from: 0, to: word.count, by: 2).compactMap { UInt8(word.dropFirst($0).prefix(2), radix: 16) }
        }
    }

    /// 2.1
    static let request = bytes(
        """
        00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
        80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
        80280004 e57a3bcf
        """)
    /// 2.2
    static let response = bytes(
        """
        0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
        00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96
        """)
    /// 2.3
    static let response6 = bytes(
        """
        01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
        00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
        80280004 c8fb0b4c
        """)
    /// 2.4
    static let longTerm = bytes(
        """
        00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b90000
        0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41 0014000b 6578616d706c652e6f726700
        00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666
        """)
    private static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)

    @Test func theExamplesAreRead() throws {
        let request = try #require(STUNMessage(Self.request))
        #expect(request.messageClass == .request && request.method == .binding)
        #expect(request.text(.username) == "evtj:h6vY" && request.isAuthentic(Self.password))
        #expect(!request.isAuthentic(Array("another".utf8)))
        let response = try #require(STUNMessage(Self.response))
        #expect(response.messageClass == .success && response.isAuthentic(Self.password))
        #expect(response.mappedAddress?.description == "192.0.2.1:32853")
        let other = try #require(STUNMessage(Self.response6))
        #expect(other.mappedAddress?.description == "[2001:db8:1234:5678:11:2233:4455:6677]:32853")
        #expect(other.isAuthentic(Self.password))
        let authenticated = try #require(STUNMessage(Self.longTerm))
        #expect(authenticated.text(.username) == "マトリックス" && authenticated.text(.realm) == "example.org")
        #expect(authenticated.text(.nonce) == "f//499k954d6OL34oL9FSTvy64sA")
    }

    @Test func whatIsWrittenIsRead() throws {
        let message = STUNMessage(
            .request, .allocate, transaction: STUNMessage.makeTransaction(),
            [.init(.requestedTransport, [17, 0, 0, 0]), .init(.username, Array("viewer".utf8)), .init(.nonce, [1])])
        let key = Array("key".utf8)
        let read = try #require(STUNMessage(message.bytes(key: key)))
        #expect(read.messageClass == .request && read.method == .allocate && read.transaction == message.transaction)
        #expect(Array(read.attributes.dropLast()) == message.attributes && read.isAuthentic(key))
        #expect(STUNMessage.length(message.bytes()) == message.bytes().count)
        for method in STUNMessage.Method.allCases {
            for messageClass in STUNMessage.Class.allCases {
                let bytes = STUNMessage(messageClass, method, transaction: message.transaction).bytes()
                #expect(STUNMessage(bytes).map { $0.method == method && $0.messageClass == messageClass } == true)
            }
        }
    }

    @Test func whatIsDamagedIsNone() {
        #expect(STUNMessage([]) == nil && STUNMessage(Self.request.dropLast()) == nil)
        // The fingerprint covers all of it, but for its own name, without which there is none.
        let name = Self.request.count - 8..<Self.request.count - 6
        for index in Self.request.indices where !name.contains(index) {
            var bytes = Self.request
            bytes[index] ^= 1
            #expect(STUNMessage(bytes) == nil, "byte \(index)")
        }
        var large = Self.response.prefix(20) + [UInt8](repeating: 0, count: STUNMessage.maximumBytes)
        large.replaceSubrange(2..<4, with: [8, 0])
        #expect(STUNMessage(large) == nil)
    }

    /// What follows the integrity is not covered by it, so whoever is on the way could have added it.
    @Test func whatIsAppendedDoesNotCount() throws {
        let key = Array("key".utf8)
        let plain = STUNMessage(.success, .binding, transaction: STUNMessage.makeTransaction(), [.init(.software, [1])])
        var bytes = Array(plain.bytes(key: key).dropLast(8)) + [0x80, 0x22, 0, 4, 9, 9, 9, 9]
        bytes.replaceSubrange(2..<4, with: [0, UInt8(bytes.count - 20)])
        let read = try #require(STUNMessage(bytes))
        #expect(read.isAuthentic(key) && read.attributes.map(\.kind) == [.software, .messageIntegrity])
    }

    @Test func errors() throws {
        func error(_ value: [UInt8]) -> Int? {
            STUNMessage(.failure, .allocate, transaction: [], [.init(.errorCode, value)]).error?.code
        }
        #expect(error([0, 0, 4, 1] + Array("Unauthorized".utf8)) == 401)
        #expect(error([0, 0, 4]) == nil && error([0, 0, 2, 0]) == nil && error([0, 0, 4, 100]) == nil)
        let spoken = STUNMessage(
            .failure, .allocate, transaction: [], [.init(.errorCode, [0, 0, 4, 3] + Array("a\n\u{7}b".utf8))])
        #expect(spoken.error?.reason == "ab")
    }

    @Test func mutilatedMessagesDoNoHarm() {
        var generator = SplitMix64(state: 8489)
        // Without fingerprints, which would keep nearly all of them out.
        let seeds = [Self.request, Self.response, Self.response6].map { Array($0.dropLast(8)) } + [Self.longTerm]
        var taken = 0
        for round in 0..<FuzzRounds.count {
            var bytes = seeds[round % seeds.count]
            mutate(&bytes, using: &generator)
            // Most changes of its length are mended, or little else would be tried.
            if bytes.count >= 20, generator.below(8) != 0 {
                bytes.replaceSubrange(
                    2..<4, with: [UInt8((bytes.count - 20) >> 8 & 255), UInt8(bytes.count - 20 & 255)])
            }
            guard let message = STUNMessage(bytes) else { continue }
            taken += 1
            _ = (message.mappedAddress?.description, message.error, message.text(.realm))
            if round % 64 == 0, message.isAuthentic(Self.password), message.attributes.count > 4 {
                Issue.record("\(bytes) is taken")
            }
        }
        #expect(taken > FuzzRounds.count / 20)
    }

    @Test func streamsAreCutIntoMessages() throws {
        let whole = Self.request + Self.response + Self.response6
        for size in [1, 7, 20, 1000] {
            var reader = STUNStreamReader()
            var messages: [[UInt8]] = []
            var rest = whole[...]
            while !rest.isEmpty {
                let cut = reader.take(Array(rest.prefix(size)))
                messages += try #require(cut)
                rest = rest.dropFirst(size)
            }
            #expect(messages == [Self.request, Self.response, Self.response6])
        }
        var reader = STUNStreamReader()
        #expect(reader.take(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)) == nil)
    }

    @Test func mutilatedStreamsDoNoHarm() {
        var generator = SplitMix64(state: 8656)
        for _ in 0..<FuzzRounds.count {
            var bytes = Self.response
            mutate(&bytes, using: &generator)
            var reader = STUNStreamReader()
            let cut = generator.below(bytes.count + 1)
            guard reader.take(Array(bytes[..<cut])) != nil, let messages = reader.take(Array(bytes[cut...])) else {
                continue
            }
            if messages.contains(where: { $0.count > STUNMessage.maximumBytes }) { Issue.record("\(bytes)") }
        }
    }
}
