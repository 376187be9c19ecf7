import Devices
import Media
import Streaming

/// A speaker that plays as fast as a test lets it. Any thread.
final class TestSpeaker: SpeakerOpening {
    private struct State {
        var room = 0
        var played: [Int16] = []
        var opened = 0
        var isOpen = false
        var refusal: DeviceError?
        var isBroken = false
    }

    let rate: Int
    private let clock: any MediaClock
    private let state = Monitor(State())

    init(rate: Int = 16000, clock: any MediaClock) {
        self.rate = rate
        self.clock = clock
    }

    var opened: Int { state.withLock { $0.opened } }
    var isOpen: Bool { state.withLock { $0.isOpen } }
    var played: [Int16] { state.withLock { $0.played } }

    /// Whether it opens from now on.
    func refuse(_ reason: String?) {
        state.withLock { state in
            state.refusal = reason.map { DeviceError(.absent, device: "test", action: "opening", reason: $0) }
        }
    }

    /// It goes away.
    func pullOut() {
        state.withLock { $0.isBroken = true }
        state.notify()
    }

    /// Plays this much of what is written next.
    func play(_ samples: Int) {
        state.withLock { $0.room += samples }
        state.notify()
    }

    func open() throws(DeviceError) -> (output: any AudioOutput, device: String) {
        let refusal = state.withLock { state in
            if state.refusal == nil {
                state.opened += 1
                state.isOpen = true
                state.isBroken = false
            }
            return state.refusal
        }
        if let refusal { throw refusal }
        return (Output(speaker: self), "test")
    }

    private final class Output: AudioOutput {
        let speaker: TestSpeaker
        let detail = "test"
        let latency = MediaTime.milliseconds(20)
        let underruns = 0
        var rate: Int { speaker.rate }

        init(speaker: TestSpeaker) { self.speaker = speaker }

        deinit { speaker.state.withLock { $0.isOpen = false } }

        func room(timeout: MediaTime) throws(DeviceError) -> Int {
            // A short wait in real time, so that the thread sees what else a test does.
            let room = speaker.state.wait(until: SystemMediaClock().now() + .milliseconds(5)) { state in
                state.room > 0 || state.isBroken ? (state.isBroken ? -1 : state.room) : nil
            }
            if room == -1 { throw DeviceError(.lost, device: "test", action: "playing", reason: "gone") }
            return min(room ?? 0, 160)
        }

        func write(_ samples: [Int16]) throws(DeviceError) -> MediaTime {
            speaker.state.withLock { state in
                state.played += samples
                state.room -= samples.count
            }
            return speaker.clock.now()
        }
    }
}

/// Waits in real time until something is so, ten seconds at most.
func waitUntil(_ condition: () -> Bool) async -> Bool {
    let deadline = SystemMediaClock().now() + .seconds(10)
    while !condition() {
        guard SystemMediaClock().now() < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}
