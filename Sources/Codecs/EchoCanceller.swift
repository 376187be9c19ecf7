import CSpeexDSP
import Media

/// Takes out of a microphone's sound what a speaker put into it: an adaptive filter that learns the way from the one to
/// the other, and behind it a suppressor for what the filter leaves over; both of speexdsp. Belongs to one thread at a
/// time.
package final class EchoCanceller {
    package let rate: Int
    /// Samples that are worked on at once.
    package let frameSize: Int
    /// How long an echo may last.
    package let tail: MediaTime
    private let handle: EchoHandle

    /// How far the suppressor lowers what is left of an echo, in decibels: while only the far end speaks, and while the
    /// near end does too, whose voice it would distort.
    private static let suppression: Int32 = -45
    private static let suppressionInDoubleTalk: Int32 = -15

    /// - Parameter rate: samples a second, 8000…48000.
    package init(rate: Int, tail: MediaTime) throws(CodecError) {
        guard (8000...48000).contains(rate) else {
            throw .unusableSettings(codec: "the echo canceller", detail: "\(rate) Hz")
        }
        self.rate = rate
        self.tail = tail
        frameSize = Self.frameSize(rate: rate)
        handle = try EchoHandle(
            rate: rate, frame: frameSize, filter: Int(tail.ticks(rate: rate)), suppression: Self.suppression,
            suppressionInDoubleTalk: Self.suppressionInDoubleTalk)
    }

    /// 10 to 20 ms, a power of two, which the transforms like.
    package static func frameSize(rate: Int) -> Int {
        var size = 128
        while size * 2 <= rate / 50 { size *= 2 }
        return size
    }

    /// One frame of the microphone's sound without the echo.
    ///
    /// - Parameter far: what the speaker played at that time, or up to `tail` earlier. Both have `frameSize` samples.
    package func cancel(near: [Int16], far: [Int16]) -> [Int16] {
        guard near.count == frameSize, far.count == frameSize else { return near }
        return handle.cancel(near, far)
    }

    /// Forgets the way of the echo.
    package func reset() { handle.reset() }
}

/// Owns the canceller and the suppressor, which keeps a pointer to the canceller.
private struct EchoHandle: ~Copyable {
    private let echo: OpaquePointer
    private let preprocess: OpaquePointer

    init(
        rate: Int, frame: Int, filter: Int, suppression: Int32, suppressionInDoubleTalk: Int32
    ) throws(CodecError) {
        guard let echo = speex_echo_state_init(Int32(frame), Int32(clamping: filter)) else {
            throw .unusableSettings(codec: "the echo canceller", detail: "\(rate) Hz, \(filter) samples")
        }
        guard let preprocess = speex_preprocess_state_init(Int32(frame), Int32(rate)) else {
            speex_echo_state_destroy(echo)
            throw .unusableSettings(codec: "the echo suppressor", detail: "\(rate) Hz")
        }
        self.echo = echo
        self.preprocess = preprocess
        var number = Int32(rate)
        speex_echo_ctl(echo, SPEEX_ECHO_SET_SAMPLING_RATE, &number)
        speex_preprocess_ctl(preprocess, SPEEX_PREPROCESS_SET_ECHO_STATE, UnsafeMutableRawPointer(echo))
        number = suppression
        speex_preprocess_ctl(preprocess, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, &number)
        number = suppressionInDoubleTalk
        speex_preprocess_ctl(preprocess, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, &number)
        // The suppressor works only with the noise reducer on; noise itself is left alone.
        number = 0
        speex_preprocess_ctl(preprocess, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &number)
    }

    deinit {
        speex_preprocess_state_destroy(preprocess)
        speex_echo_state_destroy(echo)
    }

    func cancel(_ near: [Int16], _ far: [Int16]) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: near.count) { output, count in
            guard let start = output.baseAddress else { return }
            near.withUnsafeBufferPointer { near in
                far.withUnsafeBufferPointer { far in
                    guard let near = near.baseAddress, let far = far.baseAddress else { return }
                    speex_echo_cancellation(echo, near, far, start)
                    speex_preprocess_run(preprocess, start)
                }
            }
            count = near.count
        }
    }

    func reset() { speex_echo_state_reset(echo) }
}
