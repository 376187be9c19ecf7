import Codecs
import Glibc
import Media
import Streaming
import Synchronization

/// Takes the speaker's echo out of one microphone's sound, as long as somebody is heard. On the microphone's thread;
/// its report from any.
///
/// The microphone's samples and the speaker's are brought together by the times that their drivers give, once; from then
/// on both are counted, because times are inexact and the filter notices when a single sample slips. Only where times and
/// counts keep disagreeing are they brought together anew.
package final class MicrophoneEcho: AudioProcessor {
    private let worker: Mutex<EchoWorker>
    private let shared: Mutex<EchoReport>
    private let farEnd: FarEnd

    /// - Parameters:
    ///   - rate: the microphone's samples a second.
    ///   - channels: 1 or 2; each has its own echo.
    package init(farEnd: FarEnd, rate: Int, channels: Int) throws(CodecError) {
        self.farEnd = farEnd
        worker = Mutex(try EchoWorker(farEnd: farEnd, rate: rate, channels: channels))
        shared = Mutex(EchoReport())
    }

    package var report: EchoReport { shared.withLock { $0 } }

    package func process(_ buffer: inout SampleBuffer) {
        let isTalking = farEnd.isTalking
        // Never contended: the lock only says to the compiler what the threads keep to.
        let report = worker.withLock { worker -> EchoReport? in
            guard isTalking || worker.isAtWork else { return nil }
            worker.process(&buffer, isTalking: isTalking)
            return worker.report
        }
        if let report { shared.withLock { $0 = report } }
    }
}

/// What `MicrophoneEcho` does, without its locks.
private struct EchoWorker {
    private let farEnd: FarEnd
    private let rate: Int
    private let channels: Int
    private let cancellers: [EchoCanceller]
    private let frame: Int
    private var estimator: DelayEstimator
    private var alignment: EchoAlignment
    /// The microphone's samples that make no whole frame yet, and when the first of them was captured.
    private var pending: [Int16] = []
    private var pendingTime = MediaTime.zero
    private var gates: [EchoGate]
    private var loss = EchoLoss()
    private(set) var report = EchoReport()

    /// Long enough for a room's echo and for what drivers leave out of their delays.
    static let tail = MediaTime.milliseconds(128)
    /// The filter begins so much before the echo is expected, and is moved where less than this is left at its end.
    static let margin = MediaTime.milliseconds(12)
    static let roomTail = MediaTime.milliseconds(64)

    init(farEnd: FarEnd, rate: Int, channels: Int) throws(CodecError) {
        self.farEnd = farEnd
        self.rate = rate
        self.channels = channels
        var cancellers: [EchoCanceller] = []
        for _ in 0..<channels { cancellers.append(try EchoCanceller(rate: rate, tail: Self.tail)) }
        self.cancellers = cancellers
        gates = [EchoGate](repeating: EchoGate(), count: channels)
        frame = EchoCanceller.frameSize(rate: rate)
        estimator = DelayEstimator(rate: rate)
        alignment = try EchoAlignment(farRate: farEnd.rate, nearRate: rate)
    }

    var isAtWork: Bool { !pending.isEmpty || alignment.isSet }

    mutating func process(_ buffer: inout SampleBuffer, isTalking: Bool) {
        guard buffer.rate == rate, buffer.channels == channels else { return }
        if pending.isEmpty { pendingTime = buffer.time }
        pending.append(contentsOf: buffer.samples)
        let first = pendingTime
        var output: [Int16] = []
        output.reserveCapacity(pending.count)
        var used = 0
        while isTalking, pending.count - used >= frame * channels {
            let near = Array(pending[used..<used + frame * channels])
            output.append(contentsOf: cancel(near, at: pendingTime))
            used += near.count
            // From the buffer's own time on, so that what was held back does not carry an old error along.
            pendingTime = pendingTime + .samples(Int64(frame), rate: rate)
        }
        if !isTalking {
            output.append(contentsOf: pending[used...])
            used = pending.count
            rest()
        }
        pending.removeFirst(used)
        if !pending.isEmpty {
            pendingTime = buffer.time + buffer.duration - .samples(Int64(pending.count / channels), rate: rate)
        }
        buffer = SampleBuffer(samples: output, rate: rate, channels: channels, time: first)
    }

    /// Until somebody speaks again. The filters keep what they learnt.
    private mutating func rest() {
        alignment.reset()
        estimator.reset()
    }

    private mutating func cancel(_ near: [Int16], at time: MediaTime) -> [Int16] {
        guard let far = alignment.next(frame, at: time, from: farEnd) else { return near }
        report.realignments = alignment.realignments
        var output = near
        for (channel, canceller) in cancellers.enumerated() {
            let own = channels == 1 ? near : stride(from: channel, to: near.count, by: channels).map { near[$0] }
            if channel == 0 { compare(own, with: far.early) }
            var clean = canceller.cancel(near: own, far: far.aligned)
            gates[channel].pass(&clean, captured: own)
            if channel == 0 { measure(own, clean, far.aligned) }
            for index in 0..<frame { output[index * channels + channel] = clean[index] }
        }
        return output
    }

    private mutating func compare(_ near: [Int16], with far: [Int16]) {
        guard estimator.add(near: near, far: far), let delay = estimator.delay else { return }
        report.delay = delay
        let shift = alignment.shift
        guard delay < shift + .milliseconds(2) || delay > shift + Self.tail - Self.roomTail else { return }
        alignment.move(to: max(delay - Self.margin, DelayEstimator.earliest))
        for canceller in cancellers { canceller.reset() }
    }

    private mutating func measure(_ near: [Int16], _ clean: [Int16], _ far: [Int16]) {
        guard far.contains(where: { abs(Int32($0)) > Int32(FarEnd.threshold) }) else { return }
        loss.add(near: near, clean: clean)
        report.lossDecibels = loss.decibels
    }
}

/// The loss of the last half second of speech.
private struct EchoLoss {
    private var near = 0.0
    private var clean = 0.0
    /// Of each frame: a memory of half a second.
    private static let memory = 0.97

    mutating func add(near: [Int16], clean: [Int16]) {
        self.near = self.near * Self.memory + Self.energy(near)
        self.clean = self.clean * Self.memory + Self.energy(clean)
    }

    /// Nil where there was nothing to lower.
    var decibels: Double? { near > 0 ? 10 * log10(near / max(clean, 1)) : nil }

    private static func energy(_ samples: [Int16]) -> Double {
        samples.reduce(0) { $0 + Double($1) * Double($1) }
    }
}
