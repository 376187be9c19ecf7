import Media
import NIOCore

/// What a decoder must know of a track (ISO/IEC 14496-12, 8.5.2): `avc1` with an AVCDecoderConfigurationRecord
/// (ISO/IEC 14496-15, 5.4.2) and `mp4a` with an ES_Descriptor (ISO/IEC 14496-14, 6.7.2).
enum MP4SampleEntry {
    // MARK: Writing

    static func write(_ format: MP4Track.Format, to buffer: inout ByteBuffer) {
        switch format {
        case .video(let format): write(format, to: &buffer)
        case .audio(let format): write(format, to: &buffer)
        }
    }

    private static func write(_ format: VideoFormat, to buffer: inout ByteBuffer) {
        buffer.writeBox("avc1") {
            writeEntryHeader(to: &$0)
            $0.writeZeros(16)
            $0.writeMultipleIntegers(UInt16(clamping: format.size.width), UInt16(clamping: format.size.height))
            // 72 dots an inch, one picture a sample, no name, 24 bits a pixel.
            $0.writeMultipleIntegers(UInt32(0x48_0000), UInt32(0x48_0000), UInt32(0), UInt16(1))
            $0.writeZeros(32)
            $0.writeMultipleIntegers(UInt16(24), Int16(-1))
            $0.writeBox("avcC") { $0.writeBytes(AVCDecoderConfiguration.bytes(for: format) ?? []) }
        }
    }

    private static func write(_ format: AudioFormat, to buffer: inout ByteBuffer) {
        buffer.writeBox("mp4a") {
            writeEntryHeader(to: &$0)
            $0.writeZeros(8)
            // 16 bits a sample; the rate has 16 bits before the point.
            $0.writeMultipleIntegers(
                UInt16(format.channels), UInt16(16), UInt32(0), UInt32(UInt16(clamping: format.rate)) << 16)
            $0.writeFullBox("esds") { writeDescriptor(format, to: &$0) }
        }
    }

    /// Data reference 1.
    private static func writeEntryHeader(to buffer: inout ByteBuffer) {
        buffer.writeZeros(6)
        buffer.writeInteger(UInt16(1))
    }

    /// ISO/IEC 14496-1, 7.2.6.5 to 7.2.6.8. The lengths are known and below 128.
    private static func writeDescriptor(_ format: AudioFormat, to buffer: inout ByteBuffer) {
        let config = AudioSpecificConfig(rate: format.rate, channels: format.channels)?.bytes ?? []
        let bitrate = UInt32(clamping: format.bitrate)
        let info = UInt8(config.count)
        buffer.writeMultipleIntegers(Tag.elementaryStream, 23 + info, UInt16(0), UInt8(0))
        // MPEG-4 audio; an audio stream; a decoder's buffer of 6144 bits a channel.
        buffer.writeMultipleIntegers(Tag.decoderConfig, 15 + info, UInt8(0x40), UInt8(5 << 2 | 1))
        buffer.writeMultipleIntegers(UInt8(0), UInt16(768 * format.channels), bitrate, bitrate)
        buffer.writeMultipleIntegers(Tag.decoderSpecificInfo, info)
        buffer.writeBytes(config)
        buffer.writeMultipleIntegers(Tag.syncLayerConfig, UInt8(1), UInt8(2))
    }

    private enum Tag {
        static let elementaryStream: UInt8 = 3
        static let decoderConfig: UInt8 = 4
        static let decoderSpecificInfo: UInt8 = 5
        static let syncLayerConfig: UInt8 = 6
    }

    // MARK: Reading

    /// The only entry of a sample description box. Nil where the track is of another sort.
    static func read(_ description: ByteBuffer) throws(MP4Reader.Failure) -> MP4Track.Format? {
        var body = description
        _ = try body.takeFullBoxHeader()
        let count: UInt32 = try body.take()
        let boxes = try body.children()
        guard count == 1, boxes.count == 1, let entry = boxes.first else {
            throw .unsupported("a track of several formats")
        }
        switch entry.type {
        case "avc1": return .video(try readVideo(entry.body))
        case "mp4a": return .audio(try readAudio(entry.body))
        default: return nil
        }
    }

    private static func readVideo(_ entry: ByteBuffer) throws(MP4Reader.Failure) -> VideoFormat {
        var entry = entry
        try entry.skip(78)
        let record = try entry.children().required("avcC", "avcC")
        guard let sets = AVCDecoderConfiguration.parameterSets(in: Array(record.readableBytesView)),
            let sps = SequenceParameterSet(nal: sets.sps)
        else { throw .malformed("parameter sets that cannot be read") }
        return VideoFormat(sps: sets.sps, pps: sets.pps, size: sps.size, frameRate: 0, bitrate: 0)
    }

    private static func readAudio(_ entry: ByteBuffer) throws(MP4Reader.Failure) -> AudioFormat {
        var entry = entry
        try entry.skip(28)
        var body = try entry.children().required("esds", "esds")
        _ = try body.takeFullBoxHeader()
        var stream = try takeDescriptor(Tag.elementaryStream, from: &body)
        try stream.skip(3)
        var decoder = try takeDescriptor(Tag.decoderConfig, from: &stream)
        guard try decoder.take(UInt8.self) == 0x40 else { throw .unsupported("sound other than AAC") }
        try decoder.skip(8)
        let bitrate: UInt32 = try decoder.take()
        let info = try takeDescriptor(Tag.decoderSpecificInfo, from: &decoder)
        guard let config = AudioSpecificConfig(bytes: info.readableBytesView),
            AudioSpecificConfig.rates.contains(config.rate)
        else { throw .unsupported("sound other than AAC-LC") }
        return AudioFormat(rate: config.rate, channels: config.channels, bitrate: Int(bitrate))
    }

    /// A descriptor's length stands in up to four bytes of seven bits (ISO/IEC 14496-1, 8.3.3).
    private static func takeDescriptor(
        _ tag: UInt8, from buffer: inout ByteBuffer
    ) throws(MP4Reader.Failure) -> ByteBuffer {
        guard try buffer.take(UInt8.self) == tag else { throw .malformed("an elementary stream descriptor") }
        var length = 0
        for _ in 0..<4 {
            let byte: UInt8 = try buffer.take()
            length = length << 7 | Int(byte & 0x7F)
            if byte < 0x80 { break }
        }
        return try buffer.take(length)
    }
}
