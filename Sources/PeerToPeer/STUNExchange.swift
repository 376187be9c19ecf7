import Media

/// One question over UDP or TCP, asked again until it is answered (RFC 8489, 6.2.1): times and answers in, what is to be
/// sent out.
struct STUNExchange: Sendable, Hashable {
    /// What is asked.
    let message: [UInt8]
    let transaction: STUNMessage.TransactionID
    private(set) var begun: MediaTime
    private var sent: Int
    private var next: MediaTime

    /// The first pause; each is twice the one before.
    static let firstPause = MediaTime.milliseconds(250)
    /// Over UDP; then `lastPause` is waited.
    static let maximumSendings = 5
    static let lastPause = MediaTime.seconds(2)
    /// Over TCP, which repeats by itself.
    static let streamPatience = MediaTime.seconds(5)

    private let isReliable: Bool

    /// - Parameter isReliable: whether the transport repeats what is lost.
    init(_ message: STUNMessage, key: [UInt8]? = nil, isReliable: Bool = false, now: MediaTime) {
        self.message = message.bytes(key: key)
        transaction = message.transaction
        self.isReliable = isReliable
        begun = now
        sent = 1
        next = now + (isReliable ? Self.streamPatience : Self.firstPause)
    }

    /// When `step` wants to be called.
    var deadline: MediaTime { next }

    enum Step: Sendable, Hashable { case wait, sendAgain, giveUp }

    mutating func step(now: MediaTime) -> Step {
        guard now >= next else { return .wait }
        guard !isReliable, sent < Self.maximumSendings else { return .giveUp }
        let pause = Self.firstPause.nanoseconds << Int64(sent)
        sent += 1
        next = now + (sent == Self.maximumSendings ? Self.lastPause : MediaTime(nanoseconds: pause))
        return .sendAgain
    }

    func isAnswered(by answer: STUNMessage) -> Bool {
        (answer.messageClass == .success || answer.messageClass == .failure) && answer.transaction == transaction
    }
}
