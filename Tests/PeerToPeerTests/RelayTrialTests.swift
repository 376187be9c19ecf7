import Access
import Media
import PeerToPeer
import TestSupport
import Testing

/// What a relay may answer to who asks for an address.
@Suite struct RelayTrialTests {
    init() throws { try #require(Cryptography.open() == nil) }

    /// A relay that knows one user.
    private struct Relay {
        var nonce: [UInt8] = Array("nonce".utf8)
        /// 203.0.113.10:48448, hidden.
        static let address: [UInt8] = [0, 1, 0x21 ^ 0xBD, 0x12 ^ 0x40, 0x21 ^ 203, 0x12 ^ 0, 0xA4 ^ 113, 0x42 ^ 10]

        func failure(_ code: Int, _ request: STUNMessage, challenge: Bool = true) -> [UInt8] {
            var attributes: [STUNMessage.Attribute] = [
                .init(.errorCode, [0, 0, UInt8(code / 100), UInt8(code % 100)] + Array("no".utf8))
            ]
            if challenge {
                attributes += [.init(.realm, Array("edge-agent".utf8)), .init(.nonce, nonce)]
            }
            return STUNMessage(.failure, request.method, transaction: request.transaction, attributes).bytes()
        }

        func success(_ request: STUNMessage, key: [UInt8]?) -> [UInt8] {
            STUNMessage(
                .success, request.method, transaction: request.transaction,
                [.init(.xorRelayedAddress, Self.address)]
            ).bytes(key: key)
        }
    }

    private func message(_ bytes: [UInt8]?) throws -> STUNMessage {
        let bytes = try #require(bytes)
        return try #require(STUNMessage(bytes))
    }

    private func begin(isReliable: Bool = false) throws -> (RelayTrial, STUNMessage) {
        var trial = RelayTrial(user: "viewer", password: Secret("secret"), isReliable: isReliable)
        let question = try message(trial.begin(now: .seconds(1)))
        return (trial, question)
    }

    /// Up to the question with credentials.
    private func challenged() throws -> (trial: RelayTrial, question: STUNMessage) {
        var trial = RelayTrial(user: "viewer", password: Secret("secret"), isReliable: false)
        let first = try message(trial.begin(now: .seconds(1)))
        #expect(first.method == .allocate && first[.requestedTransport] == [17, 0, 0, 0] && first[.username] == nil)
        let second = try message(trial.take(Relay().failure(401, first), now: .seconds(1)))
        #expect(second.text(.username) == "viewer" && second.text(.realm) == "edge-agent")
        return (trial, second)
    }

    @Test func anAddressIsGrantedAndGivenBack() throws {
        var (trial, question) = try challenged()
        // What the password makes of it is known to the relay, too.
        let key = Cryptography.longTermKey(user: "viewer", realm: "edge-agent", password: "secret")
        #expect(question.isAuthentic(key))
        let last = try message(trial.take(Relay().success(question, key: key), now: .milliseconds(1030)))
        #expect(last.method == .refresh && last[.lifetime] == [0, 0, 0, 0] && last.isAuthentic(key))
        guard case .allocated(let address, 30) = trial.outcome else {
            Issue.record("\(String(describing: trial.outcome))")
            return
        }
        #expect(address.description == "203.0.113.10:48448" && trial.deadline == nil)
    }

    @Test func aWrongPassword() throws {
        var (trial, question) = try challenged()
        #expect(trial.take(Relay().failure(401, question), now: .seconds(1)) == nil)
        #expect(trial.outcome == .wrongCredentials)
    }

    @Test func aStaleNonceIsReplaced() throws {
        var (trial, question) = try challenged()
        for _ in 1..<3 {
            let stale = Relay(nonce: Array("newer".utf8)).failure(438, question)
            question = try message(trial.take(stale, now: .seconds(1)))
            #expect(question.text(.nonce) == "newer")
        }
        // Not for ever.
        #expect(trial.take(Relay().failure(438, question), now: .seconds(1)) == nil)
        guard case .nonsense = trial.outcome else {
            Issue.record("\(String(describing: trial.outcome))")
            return
        }
    }

    @Test func whatIsNotSignedIsNotBelieved() throws {
        for key in [nil, Array("another".utf8)] as [[UInt8]?] {
            var (trial, question) = try challenged()
            #expect(trial.take(Relay().success(question, key: key), now: .seconds(1)) == nil)
            guard case .nonsense = trial.outcome else {
                Issue.record("\(String(describing: trial.outcome))")
                return
            }
        }
    }

    @Test func refusals() throws {
        var (trial, question) = try challenged()
        _ = trial.take(Relay().failure(486, question, challenge: false), now: .seconds(1))
        #expect(trial.outcome == .refused(code: 486, reason: "no"))
        // Answers to other questions are none.
        (trial, question) = try challenged()
        let other = STUNMessage(.request, .allocate, transaction: STUNMessage.makeTransaction())
        #expect(trial.take(Relay().failure(486, other), now: .seconds(1)) == nil && trial.outcome == nil)
    }

    @Test func aSilentRelayIsAskedAgainAndGivenUp() throws {
        var (trial, _) = try begin()
        var sent = 1
        var last = MediaTime.zero
        while let deadline = trial.deadline {
            #expect(deadline > last)
            last = deadline
            if trial.step(now: deadline) != nil { sent += 1 }
        }
        #expect(trial.outcome == .silent && sent == 5 && last < .seconds(8))
        // TCP repeats by itself.
        (trial, _) = try begin(isReliable: true)
        let deadline = try #require(trial.deadline)
        #expect(trial.step(now: deadline) == nil && trial.outcome == .silent)
    }

    @Test func mutilatedAnswersDoNoHarm() throws {
        var generator = SplitMix64(state: 8657)
        let (trial, question) = try challenged()
        let key = Cryptography.longTermKey(user: "viewer", realm: "edge-agent", password: "secret")
        let seeds = [
            Relay().success(question, key: key), Relay().failure(438, question), Relay().failure(401, question),
        ].map { Array($0.dropLast(8)) }
        for round in 0..<FuzzRounds.count {
            var bytes = seeds[round % seeds.count]
            mutate(&bytes, using: &generator)
            if bytes.count >= 20 {
                bytes.replaceSubrange(
                    2..<4, with: [UInt8((bytes.count - 20) >> 8 & 255), UInt8(bytes.count - 20 & 255)])
            }
            var trial = trial
            _ = trial.take(bytes, now: .seconds(2))
            // Nothing that is not as the relay signed it.
            if case .allocated(let address, _) = trial.outcome, address.description != "203.0.113.10:48448" {
                Issue.record("\(bytes)")
            }
        }
    }
}
