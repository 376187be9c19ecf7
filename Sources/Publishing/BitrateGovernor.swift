import Media

/// Finds the bitrate that a slow link bears: lowers the encoder's ceiling while frames pile up, raises it again by a
/// tenth every four seconds, and lifts it at the configured rate.
package struct BitrateGovernor: Sendable {
    package enum Change: Sendable, Hashable {
        case ceiling(Int)
        case lift
    }

    /// More media time than this waiting means that the link is too slow.
    package static let tolerance = MediaTime.milliseconds(200)
    /// The throughput of a full link is measured over at least this long.
    package static let window = MediaTime.milliseconds(1500)
    package static let raiseEvery = MediaTime.seconds(4)
    /// Bits a second.
    package static let floor = 50_000
    /// Of what the link is seen to carry, the rest is for catching up.
    package static let share = 0.85

    /// Bits a second as configured.
    package let configured: Int
    /// Sound and containers need their part, which the encoder's ceiling does not count.
    package let reserved: Int
    package private(set) var ceiling: Int?

    private var windowStart: (time: MediaTime, bytes: Int)?
    private var calmSince: MediaTime?

    package init(configured: Int, reserved: Int = 0) {
        self.configured = configured
        self.reserved = reserved
    }

    /// - Parameters:
    ///   - span: how much media time waits for the link.
    ///   - bytesSent: what the link took since it stands.
    package mutating func update(span: MediaTime, bytesSent: Int, now: MediaTime) -> Change? {
        guard span > Self.tolerance else {
            windowStart = nil
            let calm = calmSince ?? now
            calmSince = calm
            guard let ceiling, now - calm >= Self.raiseEvery else { return nil }
            calmSince = now
            let raised = ceiling + max(ceiling / 10, 1)
            self.ceiling = raised < configured ? raised : nil
            return self.ceiling.map { .ceiling($0) } ?? .lift
        }
        calmSince = nil
        guard let start = windowStart else {
            windowStart = (now, bytesSent)
            return nil
        }
        let elapsed = now - start.time
        guard elapsed >= Self.window else { return nil }
        windowStart = (now, bytesSent)
        let carried = Double(bytesSent - start.bytes) * 8 / elapsed.seconds - Double(reserved)
        // Below the present ceiling in any case: what waits shows that it is too high.
        let present = ceiling ?? configured
        let lowered = max(min(Int(carried * Self.share), present * 9 / 10), Self.floor)
        guard lowered < present else { return nil }
        ceiling = lowered
        return .ceiling(lowered)
    }
}
