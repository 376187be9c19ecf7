import NIOCore

/// A talk under way, for the one who sends it. Dropping the last reference ends the talk. Any thread.
package final class TalkSession: Sendable {
    let inbox: TalkInbox

    init(_ inbox: TalkInbox) { self.inbox = inbox }

    deinit { inbox.leave() }

    package var holder: TalkHolder { inbox.holder }
    package var report: TalkReport { inbox.report }
    /// Nil while it goes on.
    package var ending: TalkEnding? { inbox.ending }

    /// The next bytes of the body. Bounded; never waits.
    package func take(_ bytes: ByteBuffer) { inbox.take(bytes) }

    /// Mono samples that somebody else has decoded. Bounded; never waits. Rates outside `TalkSettings.rates` are not
    /// played.
    package func take(samples: [Int16], rate: Int) { inbox.take(samples: samples, rate: rate) }

    /// That was all: others may have the place; until somebody takes it the rest is heard.
    package func finish() { inbox.complete() }

    /// The sender is gone. The place is free when this returns.
    package func leave() { inbox.leave() }

    /// The place is free when this returns; what came until now is still heard, unless somebody else begins.
    package func end(_ ending: TalkEnding) { inbox.end(ending) }
}
