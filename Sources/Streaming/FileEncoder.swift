import Codecs
import Containers
import Devices
import Glibc
import Media
import NIOCore

/// Encodes a Y4M and a WAV file into an FLV file as fast as it goes, with the same codecs and packaging that live
/// streams use. Blocks; one thread.
package struct FileEncoder {
    package enum Failure: Error, CustomStringConvertible {
        case source(DeviceError)
        case codec(CodecError)
        case output(path: String, reason: String)

        package var description: String {
            switch self {
            case .source(let error): "\(error)"
            case .codec(let error): "\(error)"
            case .output(let path, let reason): "\(path): writing: \(reason)"
            }
        }
    }

    /// What was done.
    package struct Summary: Sendable {
        package var pictures = 0
        package var audioFrames = 0
        package var bytes = 0
    }

    /// The settings' size and rate are the file's.
    package var video: VideoEncoderSettings
    package var audioBitrate: Int

    package init(video: VideoEncoderSettings, audioBitrate: Int) {
        self.video = video
        self.audioBitrate = audioBitrate
    }

    package func encode(pictures: String, sound: String?, output: String) throws(Failure) -> Summary {
        let file: Y4MFile
        let wav: WAVFile?
        do {
            file = try Y4MFile(path: pictures)
            if let sound { wav = try WAVFile(path: sound) } else { wav = nil }
        } catch {
            throw .source(error)
        }
        var writer = try FLVFileWriter(path: output)
        let summary: Summary
        do throws(CodecError) {
            summary = try encode(file, wav, &writer)
        } catch {
            throw .codec(error)
        }
        if let code = writer.failure { throw .output(path: output, reason: String(cString: strerror(code))) }
        return summary
    }

    private func encode(_ file: Y4MFile, _ wav: WAVFile?, _ writer: inout FLVFileWriter) throws(CodecError) -> Summary {
        var settings = video
        settings.size = file.header.size
        settings.frameRate = Double(file.header.rateNumerator) / Double(file.header.rateDenominator)
        let encoder = try X264Encoder(settings)
        var sound: (file: WAVFile, encoder: AACEncoder)?
        if let wav {
            let audio = AudioEncoderSettings(
                rate: wav.header.rate, channels: wav.header.channels, bitrate: audioBitrate)
            sound = (wav, try AACEncoder(audio))
        }
        let format = StreamFormat(video: encoder.format, audio: sound?.encoder.format)
        writer.begin(format)
        var summary = Summary()
        let pool = PicturePool(size: settings.size, limit: 2)
        var index: Int64 = 0
        while let picture = pool.take(time: file.header.time(of: index)), file.read(into: picture) {
            if let frame = try encoder.encode(picture, forceKeyFrame: false) { writer.write(frame) }
            index += 1
            summary.pictures += 1
            if let sound {
                summary.audioFrames += try copySound(sound, upTo: file.header.time(of: index), &writer)
            }
        }
        while let frame = try encoder.drain() { writer.write(frame) }
        if let sound { summary.audioFrames += try finishSound(sound, &writer) }
        writer.flush()
        summary.bytes = writer.bytes
        return summary
    }

    /// Keeps the sound alongside the pictures.
    private func copySound(
        _ sound: (file: WAVFile, encoder: AACEncoder), upTo time: MediaTime, _ writer: inout FLVFileWriter
    ) throws(CodecError) -> Int {
        var frames = 0
        while sound.encoder.nextTime < time {
            let samples = sound.file.read(count: AudioFormat.samplesPerFrame)
            guard !samples.isEmpty else { break }
            frames += try write(samples, sound.encoder, &writer)
        }
        return frames
    }

    /// The encoder still holds its delay's worth of sound; silence pushes it out.
    private func finishSound(
        _ sound: (file: WAVFile, encoder: AACEncoder), _ writer: inout FLVFileWriter
    ) throws(CodecError) -> Int {
        let count = (Int(AACEncoder.delay) + AudioFormat.samplesPerFrame - 1) * sound.encoder.format.channels
        return try write([Int16](repeating: 0, count: count), sound.encoder, &writer)
    }

    private func write(
        _ samples: [Int16], _ encoder: AACEncoder, _ writer: inout FLVFileWriter
    ) throws(CodecError) -> Int {
        var frames = 0
        try encoder.encode(samples, time: .zero) { frame in
            // Sound from before the first picture is the encoder's run-up.
            guard frame.time >= .zero else { return }
            writer.write(frame)
            frames += 1
        }
        return frames
    }
}

/// Writes FLV tags into a file, many at a time.
private struct FLVFileWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer = ByteBufferAllocator().buffer(capacity: 1 << 18)
    private(set) var bytes = 0
    /// Of the first write that failed; nothing is written after it.
    private(set) var failure: Int32?

    init(path: String) throws(FileEncoder.Failure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw .output(path: path, reason: String(cString: strerror(errno))) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func begin(_ format: StreamFormat) {
        var header = FLVWriter.header(hasVideo: format.video != nil, hasAudio: format.audio != nil)
        buffer.writeBuffer(&header)
        guard let headers = StreamHeaders(format) else { return }
        for tag in [headers.metadata, headers.video, headers.audio].compactMap({ $0 }) {
            FLVWriter.write(tag, timestamp: 0, to: &buffer)
        }
    }

    mutating func write(_ frame: EncodedFrame) {
        FLVWriter.write(FLVTag(frame), timestamp: UInt32(truncatingIfNeeded: frame.time.milliseconds), to: &buffer)
        if buffer.readableBytes > 1 << 17 { flush() }
    }

    mutating func flush() {
        while buffer.readableBytes > 0, failure == nil {
            let count = buffer.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                failure = errno
                break
            }
            buffer.moveReaderIndex(forwardBy: count)
            bytes += count
        }
        buffer.clear()
    }
}
