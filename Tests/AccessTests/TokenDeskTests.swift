import Access
import Synchronization
import Testing

@Suite struct TokenDeskTests {
    /// A clock, and a disk that may refuse.
    private final class World: Sendable {
        let time = Mutex<Int64>(1_800_000_000)
        let kept = Mutex<AccessMemory?>(nil)
        let failure = Mutex<String?>(nil)

        func desk() -> TokenDesk {
            TokenDesk(kept.withLock { $0 }, now: { [self] in time.withLock { $0 } }) { [self] memory in
                if let failure = failure.withLock({ $0 }) { return failure }
                kept.withLock { $0 = memory }
                return nil
            }
        }
    }

    @Test func tokensOutliveTheAgent() throws {
        let world = World()
        let desk = world.desk()
        #expect(desk.keepNow() == nil)
        let token = try desk.add("wall", Grant(rights: [.live], channel: 0), seconds: nil)
        let again = world.desk()
        #expect(again.find(token.text)?.grant == Grant(rights: [.live], channel: 0))
        for unseen in desk.unseen { #expect(again.find(unseen.token.text)?.name == unseen.name) }
        #expect(again.find(AccessToken.random().text) == nil)
        #expect(again.entries.first { $0.name == "wall" }?.lastUsed == 1_800_000_000)
    }

    @Test func tokensEnd() throws {
        let world = World()
        let desk = world.desk()
        let token = try desk.add("guest", .watcher, seconds: 60)
        let mark = try #require(desk.find(token.text)).mark
        #expect(desk.isGood(mark: mark))
        world.time.withLock { $0 += 60 }
        #expect(desk.find(token.text) == nil && !desk.isGood(mark: mark))
        try desk.remove("guest")
        // One of the same name is another.
        let second = try desk.add("guest", .watcher, seconds: nil)
        #expect(desk.find(second.text) != nil && desk.find(token.text) == nil && !desk.isGood(mark: mark))
        #expect(throws: TokenDesk.Refusal.unknownName("other")) { try desk.remove("other") }
    }

    @Test func firstTokensAreShownOnce() throws {
        let world = World()
        let desk = world.desk()
        #expect(desk.unseen.map(\.name) == ["viewer", "admin"])
        let tokens = desk.unseen
        try desk.forgetUnseen()
        #expect(desk.unseen.isEmpty && world.desk().unseen.isEmpty)
        #expect(world.desk().find(tokens[1].token.text)?.grant == .administrator)
        let new = try desk.reset()
        #expect(desk.find(tokens[1].token.text) == nil && desk.find(new[1].token.text) != nil)
        #expect(desk.entries.count == 2 && desk.unseen.isEmpty)
    }

    @Test func aResetSignsWithAnotherKey() throws {
        let desk = World().desk()
        let before = desk.key
        _ = try desk.reset()
        #expect(desk.key != before)
    }

    @Test func whatCannotBeKeptDoesNotHold() throws {
        let world = World()
        let desk = world.desk()
        world.failure.withLock { $0 = "the disk is read-only" }
        #expect(throws: TokenDesk.Refusal.notKept("the disk is read-only")) { try desk.remove("viewer") }
        #expect(desk.entries.map(\.name) == ["viewer", "admin"])
    }

    @Test func whatIsWrongIsRefused() throws {
        let desk = World().desk()
        #expect(throws: TokenDesk.Refusal.nameTaken("viewer")) { try desk.add("viewer", .watcher, seconds: nil) }
        #expect(throws: TokenDesk.Refusal.badName) { try desk.add("a b", .watcher, seconds: nil) }
        #expect(throws: TokenDesk.Refusal.noRights) { try desk.add("a", .nothing, seconds: nil) }
        for number in 2..<AccessMemory.maximumEntries { _ = try desk.add("t\(number)", .watcher, seconds: nil) }
        #expect(throws: TokenDesk.Refusal.tooMany) { try desk.add("more", .watcher, seconds: nil) }
    }
}
