/// Decides whether the service manager's watchdog is fed: only while frames leave the encoders that should encode, and
/// the agent answers itself. A value; whoever owns it brings the observations and the time.
package struct WatchdogJudge: Sendable {
    /// What one encoder does.
    package struct Encoder: Sendable, Hashable {
        /// Such as "0/main".
        package var name: String
        /// Somebody wants its frames.
        package var isWanted: Bool
        /// Frames that left it since the agent started, or since it was made anew.
        package var frames: Int

        package init(name: String, isWanted: Bool, frames: Int) {
            self.name = name
            self.isWanted = isWanted
            self.frames = frames
        }
    }

    package enum Verdict: Sendable, Hashable {
        case alive
        /// Why the watchdog is not fed, in words for the log.
        case stuck(String)
    }

    private struct Progress: Sendable {
        var frames: Int
        var since: Int64
        var wasWanted: Bool
    }

    /// Nanoseconds for which a wanted encoder may give nothing. A lost camera does not count as that: its channel
    /// shows a picture that says so.
    private let patience: Int64
    private var progress: [String: Progress] = [:]

    package init(patience: Int64) { self.patience = patience }

    /// - Parameters:
    ///   - answered: the self-request over the control socket succeeded.
    ///   - now: monotonic nanoseconds.
    package mutating func judge(answered: Bool, encoders: [Encoder], now: Int64) -> Verdict {
        var stuck: [String] = []
        var next: [String: Progress] = [:]
        for encoder in encoders {
            var state = progress[encoder.name] ?? Progress(frames: encoder.frames, since: now, wasWanted: false)
            // What was not wanted before had no cause to work; its time starts now.
            if encoder.frames != state.frames || !encoder.isWanted || !state.wasWanted {
                state = Progress(frames: encoder.frames, since: now, wasWanted: encoder.isWanted)
            }
            if encoder.isWanted, now - state.since > patience { stuck.append(encoder.name) }
            next[encoder.name] = state
        }
        progress = next
        if !answered { return .stuck("the agent does not answer itself on the control socket") }
        guard stuck.isEmpty else { return .stuck("no frames leave \(stuck.joined(separator: ", "))") }
        return .alive
    }
}
