import CVOAAC
import Media
import NIOCore

/// AAC-LC through libvo-aacenc. Belongs to one thread at a time.
package final class AACEncoder {
    package let format: AudioFormat
    private let handle: VOAACHandle
    private var pending: [Int16] = []
    private var pendingTime = MediaTime.zero
    /// Counted from `origin`, so that frame times never add up rounding errors.
    private var samplesOut: Int64 = 0
    private var origin: MediaTime?

    /// Samples by which what is decoded lags behind what was encoded: the filter bank's overlap and the encoder's
    /// block look-ahead. Frames are stamped that much earlier, so that sound and picture meet.
    package static let delay: Int64 = 1600

    package init(_ settings: AudioEncoderSettings) throws(CodecError) {
        guard AudioSpecificConfig(rate: settings.rate, channels: settings.channels) != nil else {
            throw .unusableSettings(codec: "AAC", detail: "\(settings.rate) Hz, \(settings.channels) channels")
        }
        handle = try VOAACHandle(settings)
        format = AudioFormat(rate: settings.rate, channels: settings.channels, bitrate: settings.bitrate)
        pending.reserveCapacity(4 * AudioFormat.samplesPerFrame * settings.channels)
    }

    /// Takes interleaved samples that follow the former ones without a hole, the first one captured at `time`, and
    /// hands out every frame that is whole. Only the first call's time counts until `reset`.
    package func encode(
        _ samples: some Collection<Int16>, time: MediaTime, frame: (EncodedFrame) -> Void
    ) throws(CodecError) {
        if origin == nil {
            origin = time
            samplesOut = 0
        }
        pending.append(contentsOf: samples)
        let step = AudioFormat.samplesPerFrame * format.channels
        var start = 0
        while pending.count - start >= step {
            if let data = try handle.encode(&pending, from: start, count: step) {
                frame(EncodedFrame(kind: .audio, isKey: true, time: frameTime, data: data))
            }
            samplesOut += Int64(AudioFormat.samplesPerFrame)
            start += step
        }
        pending.removeFirst(start)
    }

    /// When the next sample to come in belongs.
    package var nextTime: MediaTime {
        (origin ?? .zero) + .samples(samplesOut + Int64(pending.count / format.channels), rate: format.rate)
    }

    /// The next samples begin a new time line.
    package func reset() {
        pending.removeAll(keepingCapacity: true)
        origin = nil
    }

    private var frameTime: MediaTime {
        (origin ?? .zero) + .samples(samplesOut - Self.delay, rate: format.rate)
    }
}

/// Owns an open vo-aacenc encoder.
private struct VOAACHandle: ~Copyable {
    private let api: VO_AUDIO_CODECAPI
    private let encoder: VO_HANDLE
    /// The encoder keeps a pointer to this table as long as it lives.
    private let memory: UnsafeMutablePointer<VO_MEM_OPERATOR>

    init(_ settings: AudioEncoderSettings) throws(CodecError) {
        var api = VO_AUDIO_CODECAPI()
        _ = voGetAACEncAPI(&api)
        let memory = UnsafeMutablePointer<VO_MEM_OPERATOR>.allocate(capacity: 1)
        memory.initialize(
            to: VO_MEM_OPERATOR(
                Alloc: cmnMemAlloc, Free: cmnMemFree, Set: cmnMemSet, Copy: cmnMemCopy, Check: cmnMemCheck,
                Compare: cmnMemCompare, Move: cmnMemMove))
        var user = VO_CODEC_INIT_USERDATA()
        user.memflag = VO_IMF_USERMEMOPERATOR
        user.memData = UnsafeMutableRawPointer(memory)
        var encoder: VO_HANDLE?
        guard let open = api.Init, open(&encoder, VO_AUDIO_CodingAAC, &user) == 0, let encoder else {
            memory.deallocate()
            throw .unusableSettings(codec: "AAC", detail: "the encoder does not open")
        }
        var parameters = AACENC_PARAM(
            sampleRate: Int32(settings.rate), bitRate: Int32(clamping: settings.bitrate),
            nChannels: Int16(settings.channels), adtsUsed: 0)
        // VO_PID_AAC_ENCPARAM, an expression that Swift does not import.
        guard api.SetParam?(encoder, 0x4221_1040, &parameters) == 0 else {
            _ = api.Uninit?(encoder)
            memory.deallocate()
            throw .unusableSettings(
                codec: "AAC",
                detail: "\(settings.rate) Hz, \(settings.channels) channels, \(settings.bitrate) bits a second")
        }
        self.api = api
        self.encoder = encoder
        self.memory = memory
    }

    deinit {
        _ = api.Uninit?(encoder)
        memory.deallocate()
    }

    /// Encodes one frame's worth of samples. Nil where the encoder gives nothing for them.
    func encode(_ samples: inout [Int16], from start: Int, count: Int) throws(CodecError) -> ByteBuffer? {
        guard let setInput = api.SetInputData, let getOutput = api.GetOutputData else { return nil }
        // An AAC frame holds at most 6144 bits a channel (ISO/IEC 14496-3, 4.5.1.1).
        let capacity = 2 * 6144 / 8
        var data = EncodedFrame.makeBuffer(capacity: capacity)
        var code: VO_U32 = 0
        samples.withUnsafeMutableBytes { bytes in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: bytes[start * 2..<(start + count) * 2])
            var input = VO_CODECBUFFER()
            input.Buffer = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            input.Length = VO_U32(bytes.count)
            code = setInput(encoder, &input)
            guard code == 0 else { return }
            data.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
                var output = VO_CODECBUFFER()
                output.Buffer = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                output.Length = VO_U32(room.count)
                var info = VO_AUDIO_OUTPUTINFO()
                code = getOutput(encoder, &output, &info)
                return code == 0 ? min(Int(output.Length), room.count) : 0
            }
        }
        guard code == 0 else { throw .encodingFailed(codec: "AAC", code: Int(code)) }
        return data.readableBytes > 0 ? data : nil
    }
}
