import NIOCore

/// Measures what a link carries, and from it how much may wait in the link: bytes that take longer to drain than the
/// delay that is wanted there only make a picture late.
package struct DrainMeter: Sendable {
    /// The delay that may lie in the link's buffer.
    package static let delay = TimeAmount.milliseconds(250)
    /// Less than a key frame would be cut up for nothing.
    package static let leastHigh = 32 << 10

    private let limit: BufferMarks
    package private(set) var marks: BufferMarks
    /// Bytes a second; nil until the link was full once.
    package private(set) var rate: Double?
    private var last: (time: NIODeadline, drained: Int)

    package init(_ marks: BufferMarks, now: NIODeadline) {
        limit = marks
        self.marks = marks
        last = (now, 0)
    }

    /// To be asked some times a second.
    ///
    /// - Parameters:
    ///   - sent: bytes given to the link so far.
    ///   - buffered: those of them that the peer has not acknowledged.
    package mutating func review(now: NIODeadline, sent: Int, buffered: Int) {
        let seconds = Double((now - last.time).nanoseconds) / 1e9
        let drained = sent - buffered
        guard seconds > 0 else { return }
        defer { last = (now, drained) }
        let current = Double(drained - last.drained) / seconds
        if buffered >= marks.low {
            // What is full carries no more than this.
            rate = rate.map { 0.7 * $0 + 0.3 * current } ?? current
        } else if let known = rate, current > known {
            rate = current
        } else if buffered == 0, let known = rate {
            // With nothing waiting it is not known what it could carry; what was known fades.
            rate = known * 1.05
        }
        // More than the link may hold anyway is as good as unknown.
        if let known = rate, known * Double(Self.delay.nanoseconds) / 1e9 > Double(limit.high) { rate = nil }
        guard let rate else {
            marks = limit
            return
        }
        let high = Int(rate * Double(Self.delay.nanoseconds) / 1e9)
        marks.high = min(max(high, Self.leastHigh), limit.high)
        marks.warn = marks.high * 6 / 10
        marks.low = marks.high * 3 / 10
    }
}
