import CFAAD
import Media
import NIOCore

/// AAC-LC through libfaad2, mixed down to one channel: a voice on its way to a speaker. Belongs to one thread at a time.
package final class AACDecoder {
    private let config: Media.AudioSpecificConfig
    private var handle: FAADHandle

    package init(_ config: Media.AudioSpecificConfig) throws(CodecError) {
        self.config = config
        handle = try FAADHandle(config)
    }

    /// Samples a second that come out.
    package var rate: Int { config.rate }

    /// Appends the samples of one raw frame. After an error the next frame may be whole again.
    ///
    /// What a broken frame leaves behind in the library is not to be trusted, so decoding begins anew after it.
    package func decode(_ frame: ByteBuffer, into samples: inout [Int16]) throws(CodecError) {
        do throws(CodecError) {
            try handle.decode(frame, into: &samples, rate: config.rate)
        } catch {
            handle = try FAADHandle(config)
            throw error
        }
    }
}

/// Owns an open libfaad2 decoder.
private struct FAADHandle: ~Copyable {
    private let decoder: NeAACDecHandle

    /// No frame has more samples a channel.
    private static let maximumSamples = 2048
    /// One channel comes out as two, for its stereo may follow. More than the configuration has is a broken frame.
    private static let maximumChannels = 2

    init(_ config: Media.AudioSpecificConfig) throws(CodecError) {
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
        self.decoder = decoder
    }

    deinit { NeAACDecClose(decoder) }

    func decode(_ frame: ByteBuffer, into samples: inout [Int16], rate: Int) throws(CodecError) {
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
        let channels = Int(info.channels)
        guard channels <= Self.maximumChannels, Int(info.samples) <= Self.maximumSamples * channels else {
            throw .decodingFailed(codec: "AAC", reason: "\(info.samples) samples in \(channels) channels")
        }
        // The first frame only fills the decoder's overlap.
        guard info.samples > 0, channels > 0, let output else { return }
        guard Int(info.samplerate) == rate else {
            throw .decodingFailed(codec: "AAC", reason: "a frame of \(info.samplerate) Hz")
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
