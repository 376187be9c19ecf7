import CFAAD
import Media
import NIOCore

/// AAC-LC through libfaad2, mixed down to one channel: a voice on its way to a speaker. Belongs to one thread at a time.
package struct AACDecoder: ~Copyable {
    /// Samples a second that come out.
    package let rate: Int
    private let decoder: NeAACDecHandle

    /// More than a frame can hold (2048 samples a channel), so a broken one costs no memory.
    package static let maximumSamples = 2048
    /// As many channels as libfaad2 puts out at most.
    private static let maximumChannels = 64

    package init(_ config: Media.AudioSpecificConfig) throws(CodecError) {
        guard let decoder = NeAACDecOpen() else {
            throw .unusableSettings(codec: "AAC", detail: "the decoder does not open")
        }
        guard let settings = NeAACDecGetCurrentConfiguration(decoder) else {
            NeAACDecClose(decoder)
            throw .unusableSettings(codec: "AAC", detail: "the decoder has no settings")
        }
        settings.pointee.outputFormat = UInt8(FAAD_FMT_16BIT)
        settings.pointee.downMatrix = 0
        // Plain AAC-LC at 8 to 24 kHz would come out at twice its rate, as if spectral band replication followed.
        settings.pointee.dontUpSampleImplicitSBR = 1
        var bytes = config.bytes
        // What it says here is twice the rate of what it then puts out, so it is not asked.
        var rate: UInt = 0
        var channels: UInt8 = 0
        guard NeAACDecSetConfiguration(decoder, settings) == 1,
            NeAACDecInit2(decoder, &bytes, UInt(bytes.count), &rate, &channels) == 0
        else {
            NeAACDecClose(decoder)
            throw .unusableSettings(codec: "AAC", detail: "\(config.rate) Hz, \(config.channels) channels")
        }
        self.rate = config.rate
        self.decoder = decoder
    }

    deinit { NeAACDecClose(decoder) }

    /// Appends the samples of one raw frame. After an error the next frame may be whole again.
    package mutating func decode(_ frame: ByteBuffer, into samples: inout [Int16]) throws(CodecError) {
        var info = NeAACDecFrameInfo()
        let output = frame.withUnsafeReadableBytes { raw in
            // The library takes a pointer that is not const, and does not write to it.
            NeAACDecDecode(
                decoder, &info, UnsafeMutablePointer(mutating: raw.baseAddress?.assumingMemoryBound(to: UInt8.self)),
                UInt(raw.count))
        }
        guard info.error == 0 else {
            let reason = NeAACDecGetErrorMessage(info.error).map { String(cString: $0) }
            throw .decodingFailed(codec: "AAC", reason: reason ?? "error \(info.error)")
        }
        // The first frame only fills the decoder's overlap.
        guard info.samples > 0, let output else { return }
        let channels = Int(info.channels)
        guard (1...Self.maximumChannels).contains(channels), Int(info.samples) <= Self.maximumSamples * channels,
            Int(info.samplerate) == rate
        else {
            throw .decodingFailed(
                codec: "AAC", reason: "\(info.samples) samples at \(info.samplerate) Hz in one frame")
        }
        Self.mix(output, count: Int(info.samples) / channels, channels: channels, into: &samples)
    }

    private static func mix(_ raw: UnsafeMutableRawPointer, count: Int, channels: Int, into samples: inout [Int16]) {
        let values = raw.assumingMemoryBound(to: Int16.self)
        samples.reserveCapacity(samples.count + count)
        for index in 0..<count {
            var sum: Int32 = 0
            for channel in 0..<channels { sum += Int32(values[index * channels + channel]) }
            samples.append(Int16(clamping: sum / Int32(channels)))
        }
    }
}
