import Access
import NIOCore
import NIOHTTP1
import Signalling
import TestSupport
import Testing
import WebServer

@Suite struct AccessGateTests {
    private let access = TestAccess(.refused)
    private static let address = GuessGuard.Address.v4(0xC000_0201)

    private func request(
        _ uri: String = "/ipc.flv?action=live", bearer: String? = nil, from address: GuessGuard.Address = address,
        _ fields: HTTPHeaders = [:]
    ) -> HTTPRequest {
        var headers = fields
        if let bearer { headers.add(name: "Authorization", value: "Bearer \(bearer)") }
        return HTTPRequest(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: headers), body: ByteBuffer(),
            caller: .network(address))
    }

    private static let live = Demand(.stream(.live), .channel(0))

    private func refusal(_ request: HTTPRequest, _ demand: Demand = live, _ access: TestAccess? = nil) -> AccessRefusal?
    {
        do throws(AccessRefusal) {
            _ = try (access ?? self.access).gate.admit(request, demand)
            return nil
        } catch {
            return error
        }
    }

    @Test func aTokenMayDoWhatItSays() {
        let (viewer, admin) = (access.token("viewer"), access.token("admin"))
        #expect(refusal(request()) == .missing)
        #expect(refusal(request(bearer: "nonsense")) == .invalid)
        #expect(refusal(request(bearer: viewer)) == nil)
        // As somebody typed it.
        #expect(refusal(request(bearer: viewer.uppercased().replacing("-", with: ""))) == nil)
        #expect(refusal(request(bearer: viewer), Demand(.user(.ptz), .channel(0))) == .notAllowed)
        #expect(refusal(request(bearer: viewer), Demand(.viewer(.metrics))) == .notAllowed)
        for operation in Operation.all { #expect(refusal(request(bearer: admin), Demand(operation, .device)) == nil) }
        #expect(refusal(request(bearer: admin), Demand(.viewer(.page))) == nil)
    }

    @Test func strangersGetWhatIsForEverybodyAndNoMore() {
        for operation in Operation.all {
            let isOpen = operation.requirement == .nothing
            #expect(refusal(request(), Demand(operation)) == (isOpen ? nil : .missing), "\(operation)")
            #expect(
                refusal(request(bearer: "a.b.c"), Demand(operation)) != nil || isOpen || operation == .viewer(.offer))
        }
        let open: [Operation] = [.viewer(.page), .viewer(.health), .viewer(.preflight), .viewer(.link)]
        #expect(Operation.all.filter { $0.requirement == .nothing } == open)
    }

    @Test func aTokenDoesNotBelongInAnAddress() {
        let token = access.token("viewer")
        #expect(refusal(request("/ipc.flv?action=live&access_token=\(token)")) == .tokenInAddress)
        #expect(refusal(request("/ipc.flv?action=live&ticket=\(token)")) == .tokenInAddress)
    }

    @Test func aTicketInAnAddressIsGoodForAWhile() throws {
        let grant = Grant(rights: [.live], channel: 0)
        let mark = try #require(access.tokens.entries.first).mark
        let (text, _) = access.tickets.issue(grant, seconds: 60, use: .url, holder: mark)
        for uri in ["/ipc.flv?action=live&ticket=\(text)", "/ipc.flv?access_token=\(text)&action=live"] {
            // Players connect anew.
            for _ in 0..<3 { #expect(refusal(request(uri)) == nil) }
            #expect(refusal(request(uri), Demand(.stream(.live), .channel(1))) == .notAllowed)
            #expect(refusal(request(uri), Demand(.stream(.playback), .channel(0))) == .notAllowed)
        }
        #expect(refusal(request(bearer: text)) == nil)
        try access.tokens.remove("viewer")
        #expect(refusal(request(bearer: text)) == .invalid)
        let (other, _) = access.tickets.issue(grant, seconds: 60, use: .url)
        access.clock.advance(60)
        #expect(refusal(request(bearer: other)) == .invalid)
    }

    @Test func aTicketForALinkIsGoodForNothingElse() {
        let (text, _) = access.tickets.issue(.everything, seconds: 60)
        #expect(refusal(request("/ipc.flv?action=live&ticket=\(text)")) == .invalid)
        let (url, _) = access.tickets.issue(.everything, seconds: 60, use: .url)
        #expect(throws: TicketRefusal.otherUse) { try access.tickets.read(url) }
    }

    @Test func whoGuessesWaitsWhateverItHas() {
        let good = access.token("viewer")
        for _ in 0..<GuessGuard.freeGuesses { #expect(refusal(request(bearer: "wrong")) == .invalid) }
        #expect(refusal(request(bearer: "wrong")) == .locked(.seconds(1)))
        #expect(refusal(request(bearer: good)) == .locked(.seconds(1)))
        // Others do not.
        #expect(refusal(request(bearer: good, from: .v4(7))) == nil)
        // Nor does who asks for what is for everybody.
        #expect(refusal(request(bearer: "wrong"), Demand(.viewer(.health))) == nil)
        access.clock.advance(1)
        #expect(refusal(request(bearer: good)) == nil)
        #expect(refusal(request(bearer: "wrong")) == .invalid)
        #expect(refusal(request(bearer: good)) == .locked(.seconds(2)))
        let answer = AccessRefusal.locked(.milliseconds(1500)).answer
        #expect(answer.status == 429)
        #expect(answer.headers.contains { $0 == ("Retry-After", "2") })
    }

    @Test func whatHasEndedIsNoGuess() {
        let (text, _) = access.tickets.issue(.everything, seconds: 1, use: .url)
        access.clock.advance(1)
        for _ in 0..<100 { #expect(refusal(request(bearer: text)) == .invalid) }
    }

    @Test func pagesOfOtherSitesAreRefusedWhateverTheyBring() {
        let token = access.token("admin")
        let evil: HTTPHeaders = ["Host": "camera", "Origin": "http://evil.example"]
        for operation in Operation.all where operation.requirement != .nothing {
            #expect(refusal(request(bearer: token, evil), Demand(operation)) == .origin, "\(operation)")
        }
        #expect(refusal(request(bearer: token, ["Host": "camera", "Origin": "http://camera"])) == nil)
    }

    @Test(arguments: [
        ("camera", true), ("192.0.2.7:8080", true), ("[2001:db8::7]:8080", true), ("localhost:8080", true),
        ("camera.local", true), ("camera.evil.example", false), ("evil.example:8080", false),
        ("good.example", true), ("127.0.0.1.evil.example", false),
    ])
    func whereStrangersAreTrustedTheNameMustBeTheDevicesOwn(_ host: String, _ isOwn: Bool) {
        let open = TestAccess(.trusted, policy: CrossOriginPolicy(origins: ["https://good.example"]))
        #expect(refusal(request("/command", ["Host": host]), Self.live, open) == (isOwn ? nil : .host))
    }

    @Test func aPictureOnAnotherSitesPageIsRefusedWhereStrangersAreTrusted() {
        let cross: HTTPHeaders = ["Host": "localhost", "Sec-Fetch-Site": "cross-site"]
        #expect(refusal(request("/", cross), Self.live, TestAccess(.trusted)) == .origin)
        // A ticket says that somebody wanted it.
        let (text, _) = access.tickets.issue(.everything, seconds: 60, use: .url)
        #expect(refusal(request("/ipc.flv?ticket=\(text)", cross)) == nil)
    }

    @Test func peersMayDoWhatTheirTicketSays() {
        func peer(_ grant: Grant) -> HTTPRequest {
            HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"), body: ByteBuffer(),
                caller: .peer(grant))
        }
        #expect(refusal(peer(Grant(rights: [.live]))) == nil)
        #expect(refusal(peer(Grant(rights: [.talk]))) == .notAllowed)
        #expect(refusal(peer(.everything), Demand(.control(.access))) == .notAllowed)
    }

    @Test(arguments: [
        ("192.0.2.1", GuessGuard.Address.v4(0xC000_0201)), ("::ffff:192.0.2.1", .v4(0xC000_0201)),
        ("2001:db8:1:2:3:4:5:6", .v6(0x2001_0DB8_0001_0002)), ("2001:db8:1:2::9", .v6(0x2001_0DB8_0001_0002)),
    ])
    func addressesOfOneHostAreOne(_ text: String, _ address: GuessGuard.Address) throws {
        #expect(Caller(remote: try SocketAddress(ipAddress: text, port: 1)) == .network(address))
    }

    /// Whatever stands there, nobody comes in who knows nothing, and nothing breaks.
    @Test func whereTooLittleIsLeftNothingLastingBegins() {
        let short = TestAccess(read: { $0 == .files ? .init(used: 99, allowed: 100) : nil })
        let lasting: [Operation] =
            [.viewer(.talk), .viewer(.offer), .viewer(.feedback), .control(.talk)]
            + Operation.all.filter { if case .stream = $0 { true } else { false } }
        #expect(Set(Operation.all.filter(\.isLasting)) == Set(lasting))
        for operation in Operation.all where operation.requirement != .right(.admin) {
            let answer = refusal(request(), Demand(operation), short)
            #expect(answer == (operation.isLasting ? .short(.files) : nil), "\(operation.name)")
        }
        // Whoever is at the device itself may look what is wrong with the loudspeaker.
        let own = HTTPRequest(head: request().head, body: ByteBuffer(), caller: .owner)
        #expect(refusal(own, Demand(.control(.talk)), short) == nil)
        let answer = AccessRefusal.short(.memory).answer
        #expect(answer.status == 503)
        #expect(answer.headers.contains { $0 == ("Retry-After", "10") })
    }

    @Test func anyCredentialsDoNoHarm() {
        var generator = TestSupport.SplitMix64(state: 6750)
        let (ticket, _) = access.tickets.issue(.everything, seconds: 60, use: .url)
        let seeds = ["Bearer \(access.token("viewer"))", "Bearer \(ticket)", "Basic YTpi"].map { Array($0.utf8) }
        for round in 0..<FuzzRounds.count {
            var bytes = seeds[round % seeds.count]
            mutate(&bytes, using: &generator)
            let text = String(decoding: bytes, as: UTF8.self)
            // Each from an address of its own, so that all of them are looked at.
            let from = GuessGuard.Address.v6(UInt64(round))
            let inField = request(from: from, ["Authorization": text])
            let inAddress = request("/ipc.flv?action=live&ticket=\(text)", from: from)
            for request in [inField, inAddress] where refusal(request) == nil {
                guard let credential = Credential(request) else {
                    Issue.record("nothing is taken: \(text)")
                    continue
                }
                let isToken = AccessToken(credential.text)?.text == access.token("viewer")
                let isTicket = (try? access.tickets.admit(credential.text)) != nil
                if !isToken, !isTicket { Issue.record("\(text) is taken") }
            }
        }
    }
}
