import Access
import TestSupport
import Testing

@Suite struct AccessMemoryTests {
    private static var memory: AccessMemory {
        var memory = TokenDesk.first(1_800_000_000)
        memory.entries.append(
            .init(
                name: "wall", digest: AccessToken.random().digest, grant: Grant(rights: [.live, .ptz], channel: 3),
                made: 1_800_000_001, expires: 1_900_000_000, lastUsed: 1_800_000_002))
        return memory
    }

    @Test func whatIsWrittenIsRead() {
        let memory = Self.memory
        #expect(AccessMemory(text: memory.text) == memory)
        var without = memory
        without.unseen = []
        #expect(AccessMemory(text: without.text) == without)
        // Nothing of a token can be read from it once it has been shown.
        #expect(memory.unseen.allSatisfy { !without.text.contains($0.token.text) })
    }

    /// A file that is half right would let in the wrong ones.
    @Test func anyChangeIsNoticed() {
        var generator = SplitMix64(state: 180)
        let text = Self.memory.text
        let good = Array(text.utf8)
        for _ in 0..<FuzzRounds.count / 10 {
            var bytes = good
            mutate(&bytes, using: &generator)
            guard bytes != good, let read = AccessMemory(text: String(decoding: bytes, as: UTF8.self)) else { continue }
            // Behind the sum nothing matters.
            if read.text != text { Issue.record("a changed file is read: \(String(decoding: bytes, as: UTF8.self))") }
        }
        #expect(AccessMemory(text: "") == nil)
    }

    @Test(arguments: ["", "a b", "ü", "a\n", String(repeating: "a", count: 33), "a/b"])
    func namesAreWords(_ name: String) { #expect(!AccessMemory.isName(name)) }
}

@Suite struct AccessTokenTests {
    @Test func itIsReadAsPeopleTypeIt() throws {
        let token = AccessToken.random()
        #expect(token.text.count == 31)
        #expect(AccessToken(token.text) == token)
        #expect(AccessToken(token.text.uppercased().replacing("-", with: "")) == token)
        let typed = token.text.replacing("0", with: "O").replacing("1", with: "l")
        #expect(AccessToken(typed)?.digest == token.digest)
        #expect(AccessToken(token.text + "0") == nil && AccessToken(token.text.dropLast()) == nil)
        #expect(AccessToken("") == nil && AccessToken(String(repeating: "-", count: 100)) == nil)
        #expect(AccessToken(token.text.replacing("-", with: " ")) == nil)
    }

    @Test func noTwoAreAlike() {
        let tokens = Set((0..<1000).map { _ in AccessToken.random() })
        #expect(tokens.count == 1000)
        // Each of the 32 characters comes up about as often as the others: 26,000 / 32 = 812.
        var counts: [Character: Int] = [:]
        for token in tokens {
            for character in token.text where character != "-" { counts[character, default: 0] += 1 }
        }
        #expect(counts.count == 32 && counts.values.allSatisfy { (600...1050).contains($0) })
    }
}
