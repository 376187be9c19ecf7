import Access
import Media

/// Asks a relay for an address as a link would (RFC 8656, with long-term credentials), and gives it back: messages and
/// times in, messages out.
package struct RelayTrial: Sendable {
    package enum Outcome: Sendable, Hashable {
        /// The address at the relay, and how long it took in milliseconds.
        case allocated(NetworkAddress, milliseconds: Int64)
        case refused(code: Int, reason: String)
        case wrongCredentials
        /// What it says is no answer to what was asked.
        case nonsense(String)
        case silent
        /// There is no connection to it.
        case unreachable(String)
    }

    private struct Challenge: Sendable, Hashable {
        let realm: String
        let nonce: [UInt8]
    }

    private let user: String
    private let password: Secret
    private let isReliable: Bool
    private var begun = MediaTime.zero
    private var exchange: STUNExchange?
    private var challenge: Challenge?
    private var challenges = 0
    package private(set) var outcome: Outcome?

    /// The first answer names the realm; a relay that changes its nonce at once has one more try.
    static let maximumChallenges = 3
    /// The protocol that is to be relayed: UDP.
    private static let udp: [UInt8] = [17, 0, 0, 0]

    /// - Parameter isReliable: whether the transport repeats what is lost.
    package init(user: String, password: Secret, isReliable: Bool) {
        self.user = user
        self.password = password
        self.isReliable = isReliable
    }

    /// - Returns: what is to be sent first.
    package mutating func begin(now: MediaTime) -> [UInt8] {
        begun = now
        return ask(now: now)
    }

    /// When `step` wants to be called; nil where the outcome is known, or before the beginning.
    package var deadline: MediaTime? { outcome == nil ? exchange?.deadline : nil }

    /// - Returns: what is to be sent because of it.
    package mutating func take(_ bytes: [UInt8], now: MediaTime) -> [UInt8]? {
        guard outcome == nil, let answer = STUNMessage(bytes), exchange?.isAnswered(by: answer) == true else {
            return nil
        }
        return answer.messageClass == .success ? allocated(answer, now: now) : refused(answer, now: now)
    }

    /// - Returns: what is to be sent again.
    package mutating func step(now: MediaTime) -> [UInt8]? {
        guard outcome == nil, var exchange else { return nil }
        defer { self.exchange = exchange }
        switch exchange.step(now: now) {
        case .wait: return nil
        case .sendAgain: return exchange.message
        case .giveUp:
            outcome = .silent
            return nil
        }
    }

    package mutating func failed(_ reason: String) { if outcome == nil { outcome = .unreachable(reason) } }

    // MARK: Questions

    private mutating func ask(now: MediaTime) -> [UInt8] {
        let next = STUNExchange(
            message(.allocate, [.init(.requestedTransport, Self.udp)]), key: key, isReliable: isReliable, now: now)
        exchange = next
        return next.message
    }

    private func message(_ method: STUNMessage.Method, _ attributes: [STUNMessage.Attribute]) -> STUNMessage {
        var attributes = attributes
        if let challenge {
            attributes += [
                .init(.username, Array(user.utf8)), .init(.realm, Array(challenge.realm.utf8)),
                .init(.nonce, challenge.nonce),
            ]
        }
        return STUNMessage(.request, method, transaction: STUNMessage.makeTransaction(), attributes)
    }

    private var key: [UInt8]? {
        challenge.map { Cryptography.longTermKey(user: user, realm: $0.realm, password: password.reveal()) }
    }

    // MARK: Answers

    private mutating func allocated(_ answer: STUNMessage, now: MediaTime) -> [UInt8]? {
        if let key, !answer.isAuthentic(key) {
            outcome = .nonsense("its answer is not signed with the password")
            return nil
        }
        guard let address = answer.address(.xorRelayedAddress) else {
            outcome = .nonsense("it grants an address and does not say which")
            return nil
        }
        outcome = .allocated(address, milliseconds: (now - begun).milliseconds)
        // Given back; whether that arrives matters for some minutes only.
        return message(.refresh, [.init(.lifetime, [0, 0, 0, 0])]).bytes(key: key)
    }

    private mutating func refused(_ answer: STUNMessage, now: MediaTime) -> [UInt8]? {
        guard let error = answer.error else {
            outcome = .nonsense("it refuses and does not say why")
            return nil
        }
        let isStale = error.code == 438
        guard error.code == 401 || isStale else {
            outcome = .refused(code: error.code, reason: error.reason)
            return nil
        }
        if challenge != nil, !isStale {
            outcome = .wrongCredentials
            return nil
        }
        guard challenges < Self.maximumChallenges, let realm = answer.text(.realm), let nonce = answer[.nonce],
            nonce.count <= 763
        else {
            outcome = .nonsense("it asks for credentials and does not say for what")
            return nil
        }
        challenges += 1
        challenge = Challenge(realm: realm, nonce: nonce)
        return ask(now: now)
    }
}
