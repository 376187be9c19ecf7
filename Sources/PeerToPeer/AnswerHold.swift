import NIOCore

/// How long the peers' thread lets answers collect, since each alone would wake it, and peers send dozens for a picture.
///
/// They are awaited together after pictures, and once more after the first answer, which takes longer ways. Who connects,
/// or asks for something, need not wait.
package struct AnswerHold: Sendable {
    /// As long as peers have acknowledged all that was sent to them by then.
    package static let long = TimeAmount.milliseconds(16)
    /// Where that was not enough: on longer ways, and on those that lose some, where SCTP sends less for it.
    package static let short = TimeAmount.milliseconds(8)
    /// So long after a picture there may be answers to it.
    package static let answering = TimeAmount.milliseconds(500)

    private var lastPicture: NIODeadline?
    private var hasHeld = false
    private var isPatient = true

    package init() {}

    /// At the end of a turn in which a picture was sent, or something received. Nil where nothing is to be waited for.
    package mutating func next(at now: NIODeadline, hasSentPicture: Bool, hasReceived: Bool) -> TimeAmount? {
        if hasSentPicture { lastPicture = now }
        let mayBeAnswer = lastPicture.map { now - $0 < Self.answering } ?? false
        hasHeld = hasSentPicture || (hasReceived && !hasHeld && mayBeAnswer)
        return hasHeld ? (isPatient ? Self.long : Self.short) : nil
    }

    /// A hold was not cut short, and by its end peers had acknowledged everything, or not.
    package mutating func ended(isAnswered: Bool) { isPatient = isAnswered }
}
