import Access
import Signalling
import Synchronization
import TestSupport
import Testing

@Suite struct TicketTests {
    /// Not safe, but it differs wherever a message does.
    private static func signature(_ key: UInt64) -> Ticket.Signature {
        { message in
            let hash = message.reduce(key ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
        }
    }

    private static let sign = signature(1)

    private final class Clock: Sendable {
        let seconds = Mutex<Int64>(1_800_000_000)
        func advance(_ count: Int64) { seconds.withLock { $0 += count } }
    }

    private final class Store: TicketStore {
        let kept = Mutex<String?>(nil)
        let writes = Mutex(0)
        func load() -> UsedTickets? { kept.withLock { $0 }.flatMap { UsedTickets(text: $0) } }
        func keep(_ tickets: UsedTickets) {
            kept.withLock { $0 = tickets.text }
            writes.withLock { $0 += 1 }
        }
    }

    private static func desk(_ clock: Clock = Clock(), _ store: Store? = nil) -> TicketDesk {
        TicketDesk(device: "camera-7", store: store, now: { clock.seconds.withLock { $0 } }, sign: sign)
    }

    @Test func whatIsWrittenIsRead() throws {
        let grant = Grant(rights: [.live, .command], channel: 3)
        let ticket = Ticket(id: "a", device: "ü \"7\"", expires: 1_800_000_000, grant: grant)
        let text = ticket.text(Self.sign)
        #expect(try Ticket(text, Self.sign) == ticket)
        #expect(try Ticket("XP2P\(text)%2.4.33m", Self.sign) == ticket)
    }

    @Test func aTokenOfAnotherMaker() throws {
        let signed =
            Base64URL.encode(#"{"typ":"JWT","alg":"HS256"}"#.utf8) + "."
            + Base64URL.encode(#"{"iss":"s","exp":1800000000,"jti":"1","rights":["live","fly"],"aud":"d"}"#.utf8)
        let ticket = try Ticket(signed + "." + Base64URL.encode(Self.sign(Array(signed.utf8))), Self.sign)
        #expect(ticket.grant == Grant(rights: [.live]))
    }

    @Test func whatIsSignedOtherwiseIsNotLookedAt() {
        let ticket = Ticket(id: "a", device: "camera-7", expires: 1_800_000_000, grant: .everything)
        #expect(throws: TicketRefusal.wrongSignature) { try Ticket(ticket.text(Self.signature(2)), Self.sign) }
        let none =
            Base64URL.encode(#"{"alg":"none"}"#.utf8) + "." + ticket.text(Self.sign).split(separator: ".")[1]
        #expect(throws: TicketRefusal.wrongSignature) { try Ticket(none + ".", Self.sign) }
        #expect(throws: TicketRefusal.malformed) {
            try Ticket(none + "." + Base64URL.encode(Self.sign(Array(none.utf8))), Self.sign)
        }
        for text in ["", ".", "..", "a.b", "a.b.c.d", "XP2P%", String(repeating: "a", count: 3000)] {
            #expect(throws: TicketRefusal.self) { try Ticket(text, Self.sign) }
        }
    }

    @Test func aTicketBelongsToWhoBringsItFirst() throws {
        let desk = Self.desk()
        let (text, _) = desk.issue(Grant(rights: [.live], channel: 0), seconds: 60)
        #expect(try desk.admit(text, certificate: "A", session: "1").channel == 0)
        #expect(throws: TicketRefusal.replayed) { try desk.admit(text, certificate: "B", session: "2") }
        // The same offer again is nobody who connects.
        #expect(throws: TicketRefusal.replayed) { try desk.admit(text, certificate: "A", session: "1") }
        for session in 2...TicketDesk.maximumLinks {
            #expect(try desk.admit(text, certificate: "A", session: "\(session)").rights == [.live])
        }
        #expect(throws: TicketRefusal.replayed) { try desk.admit(text, certificate: "A", session: "last") }
    }

    @Test func ticketsEnd() throws {
        let clock = Clock()
        let desk = Self.desk(clock)
        let (text, expires) = desk.issue(.everything, seconds: 60)
        #expect(expires == 1_800_000_060)
        _ = try desk.admit(text, certificate: "A", session: "1")
        clock.advance(60)
        #expect(throws: TicketRefusal.expired) { try desk.admit(text, certificate: "A", session: "2") }
        #expect(throws: TicketRefusal.missing) { try desk.admit(nil, certificate: "A", session: "3") }
        let forever = Ticket(id: "x", device: "camera-7", expires: .max, grant: .everything).text(Self.sign)
        #expect(throws: TicketRefusal.tooLong) { try desk.admit(forever, certificate: "A", session: "4") }
        let other = Ticket(id: "x", device: "camera-8", expires: 1_800_000_100, grant: .everything).text(Self.sign)
        #expect(throws: TicketRefusal.otherDevice) { try desk.admit(other, certificate: "A", session: "5") }
    }

    @Test func whatWasUsedIsKnownAfterARestart() throws {
        let (clock, store) = (Clock(), Store())
        let (text, _) = Self.desk().issue(.everything, seconds: 60)
        let first = Self.desk(clock, store)
        for session in 1...3 { _ = try first.admit(text, certificate: "A", session: "\(session)") }
        #expect(store.writes.withLock { $0 } == 1, "once for each ticket")
        let again = Self.desk(clock, store)
        #expect(throws: TicketRefusal.replayed) { try again.admit(text, certificate: "B", session: "4") }
        // Whose it is may go on.
        _ = try again.admit(text, certificate: "A", session: "5")
        let (later, _) = again.issue(.everything, seconds: 600)
        clock.advance(60)
        _ = try again.admit(later, certificate: "A", session: "6")
        #expect(store.load()?.count == 1, "what has expired is not kept")
    }

    @Test func whatIsKeptIsReadAgain() throws {
        var used = UsedTickets()
        for (id, expires, certificate) in [("a b\n", 100, "x"), ("ü", 200, "y")] as [(String, Int64, String)] {
            let isNoted = used.note(id, expires: expires, certificate: certificate, now: 1)
            #expect(isNoted)
        }
        let read = try #require(UsedTickets(text: used.text))
        #expect(read == used && read.owner(of: "a b\n") == "x" && read.owner(of: "ü") == "y")
        #expect(UsedTickets(text: "") == nil && UsedTickets(text: "edge-agent device 1\n") == nil)
        #expect(UsedTickets(text: UsedTickets.formatLine + "\n1 2\nx YQ c\n1 * c\n")?.count == 0)
    }

    @Test func mutilatedFilesDoNoHarm() {
        var generator = SplitMix64(state: 7521)
        var used = UsedTickets()
        for number in 0..<3 { _ = used.note("ticket \(number)", expires: 100, certificate: "x", now: 1) }
        for _ in 0..<FuzzRounds.count {
            var bytes = Array(used.text.utf8)
            mutate(&bytes, using: &generator)
            _ = UsedTickets(text: String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func aSharedTicketIsForAll() throws {
        let store = Store()
        let desk = Self.desk(Clock(), store)
        let (text, _) = desk.issue(Grant(rights: [.live]), seconds: 60, isShared: true)
        #expect(try Ticket(text, Self.sign).isShared)
        #expect(try desk.admit(text, certificate: "A", session: "1").rights == [.live])
        #expect(try desk.admit(text, certificate: "B", session: "2").rights == [.live])
        // An offer that was overheard is worth nothing.
        #expect(throws: TicketRefusal.replayed) { try desk.admit(text, certificate: "A", session: "1") }
        for session in 3...TicketDesk.maximumSharedLinks {
            _ = try desk.admit(text, certificate: "C", session: "\(session)")
        }
        #expect(throws: TicketRefusal.replayed) { try desk.admit(text, certificate: "C", session: "last") }
        #expect(store.writes.withLock { $0 } == 0)
    }

    @Test func whatIsRememberedHasALimit() throws {
        let clock = Clock()
        let desk = Self.desk(clock)
        for _ in 0..<UsedTickets.maximumTickets {
            _ = try desk.admit(desk.issue(.everything, seconds: 60).text, certificate: "A", session: "1")
        }
        let (one, _) = desk.issue(.everything, seconds: 3600)
        #expect(throws: TicketRefusal.tooMany) { try desk.admit(one, certificate: "A", session: "1") }
        clock.advance(60)
        _ = try desk.admit(one, certificate: "A", session: "1")
    }

    @Test func mutilatedTicketsAreRefused() {
        var generator = SplitMix64(state: 7519)
        let good = Array(Ticket(id: "a", device: "d", expires: 1, grant: .everything).text(Self.sign).utf8)
        for _ in 0..<FuzzRounds.count {
            var bytes = good
            mutate(&bytes, using: &generator)
            let text = String(decoding: bytes, as: UTF8.self)
            guard let ticket = try? Ticket(text, Self.sign) else { continue }
            // What is left is what was signed, in other clothes.
            if ticket.text(Self.sign) != String(decoding: good, as: UTF8.self) { Issue.record("\(text) is taken") }
        }
    }

    /// Behind the signature there is a service that may be wrong.
    @Test func anyClaimsDoNoHarm() {
        var generator = SplitMix64(state: 7520)
        let head = Base64URL.encode(#"{"alg":"HS256"}"#.utf8)
        let good = Array(#"{"jti":"1","aud":"d","exp":1800000000,"rights":["live","talk"],"channel":1}"#.utf8)
        var taken = 0
        for _ in 0..<FuzzRounds.count {
            var bytes = good
            mutate(&bytes, using: &generator)
            let signed = head + "." + Base64URL.encode(bytes)
            guard let ticket = try? Ticket(signed + "." + Base64URL.encode(Self.sign(Array(signed.utf8))), Self.sign)
            else { continue }
            taken += 1
            if !(1...Ticket.maximumIDBytes).contains(ticket.id.utf8.count) { Issue.record("\(ticket)") }
        }
        #expect(taken > FuzzRounds.count / 100)
    }
}

extension TicketDesk {
    /// As the device's gate does it.
    fileprivate func admit(
        _ text: String?, certificate: String, session: String
    ) throws(TicketRefusal) -> Grant {
        let ticket = try read(text)
        try use(ticket, certificate: certificate, session: session)
        return ticket.grant
    }
}

@Suite struct Base64URLTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy"),
    ])
    func theExamplesOfRFC4648(_ text: String, _ encoded: String) {
        #expect(Base64URL.encode(text.utf8) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zh", "Zm9=", "Zm 9", "Zm+v", "Zm9vY"]) func whatIsNoneIsRefused(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func theTwoOtherCharacters() { #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-") }
}
