import NIOCore
import PeerToPeer
import Testing

@Suite struct AnswerHoldTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func whoConnectsNeedNotWait() {
        var hold = AnswerHold()
        #expect(hold.next(at: start, hasSentPicture: false, hasReceived: true) == nil)
        #expect(hold.next(at: start, hasSentPicture: false, hasReceived: false) == nil)
    }

    @Test func answersToAPictureAreAwaitedTwice() {
        var hold = AnswerHold()
        #expect(hold.next(at: start, hasSentPicture: true, hasReceived: false) == AnswerHold.long)
        // What was collected meanwhile is no reason to wait again, and what comes after that is, once.
        #expect(hold.next(at: start + .milliseconds(16), hasSentPicture: false, hasReceived: true) == nil)
        #expect(hold.next(at: start + .milliseconds(30), hasSentPicture: false, hasReceived: true) == AnswerHold.long)
        #expect(hold.next(at: start + .milliseconds(46), hasSentPicture: false, hasReceived: true) == nil)
    }

    @Test func whatComesLongAfterPicturesIsNoAnswer() {
        var hold = AnswerHold()
        _ = hold.next(at: start, hasSentPicture: true, hasReceived: false)
        _ = hold.next(at: start, hasSentPicture: false, hasReceived: false)
        let late = start + AnswerHold.answering
        #expect(hold.next(at: late - .nanoseconds(1), hasSentPicture: false, hasReceived: true) != nil)
        _ = hold.next(at: late, hasSentPicture: false, hasReceived: false)
        #expect(hold.next(at: late, hasSentPicture: false, hasReceived: true) == nil)
    }

    @Test func itIsShorterWhereAnswersAreMissing() {
        var hold = AnswerHold()
        hold.ended(isAnswered: false)
        #expect(hold.next(at: start, hasSentPicture: true, hasReceived: false) == AnswerHold.short)
        hold.ended(isAnswered: true)
        #expect(hold.next(at: start, hasSentPicture: true, hasReceived: false) == AnswerHold.long)
    }
}
