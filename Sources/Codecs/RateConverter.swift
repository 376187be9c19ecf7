import CSpeexDSP

/// Changes the rate of mono sound, with a filter against what the new rate cannot carry; through speexdsp. For small
/// corrections see `Resampler`. Belongs to one thread at a time.
package struct RateConverter: ~Copyable {
    package let input: Int
    package let output: Int
    private let state: OpaquePointer

    /// Between "VoIP" and "desktop" of the library's scale, 0…10.
    private static let quality: Int32 = 4

    /// Samples a second, 8000…96000 each.
    package init(from input: Int, to output: Int) throws(CodecError) {
        guard (8000...96000).contains(input), (8000...96000).contains(output),
            let state = speex_resampler_init(1, UInt32(input), UInt32(output), Self.quality, nil)
        else { throw .unusableSettings(codec: "the resampler", detail: "\(input) Hz to \(output) Hz") }
        // No silence in front for the filter's delay.
        speex_resampler_skip_zeros(state)
        self.input = input
        self.output = output
        self.state = state
    }

    deinit { speex_resampler_destroy(state) }

    /// Appends what comes of `samples`, which follow the former ones without a hole.
    package mutating func convert(_ samples: [Int16], into result: inout [Int16]) {
        let room = samples.count * output / input + 64
        let start = result.count
        result.append(contentsOf: repeatElement(0, count: room))
        var taken = UInt32(samples.count)
        var made = UInt32(room)
        result.withUnsafeMutableBufferPointer { result in
            samples.withUnsafeBufferPointer { samples in
                guard let from = samples.baseAddress, let to = result.baseAddress else { return made = 0 }
                _ = speex_resampler_process_int(state, 0, from, &taken, to + start, &made)
            }
        }
        result.removeLast(room - Int(made))
    }
}
