import NIOCore

/// A talk under way, for the one who sends it. Dropping the last reference ends the talk. Any thread.
package final class TalkSession: Sendable {
    let inbox: TalkInbox

    init(_ inbox: TalkInbox) { self.inbox = inbox }

    deinit { inbox.end(.left) }

    package var holder: TalkHolder { inbox.holder }
    package var report: TalkReport { inbox.report }

    /// The next bytes of the body. Bounded; never waits.
    package func take(_ bytes: ByteBuffer) { inbox.take(bytes) }

    /// Mono samples that somebody else has decoded. Bounded; never waits. Rates outside `TalkSettings.rates` are not
    /// played.
    package func take(samples: [Int16], rate: Int) { inbox.take(samples: samples, rate: rate) }

    /// The place is free when this returns; what came until now is still played.
    package func end(_ ending: TalkEnding = .finished) { inbox.end(ending) }
}
