import Containers
import Media
import NIOCore

/// A file in memory, kept as the pieces that were written, so that gigabytes of shared buffers cost nothing.
struct MP4Image {
    private(set) var pieces: [(offset: Int64, bytes: ByteBuffer)] = []
    private(set) var length: Int64 = 0
    private(set) var syncs = 0

    init() {}

    init(_ bytes: [UInt8]) { append(ByteBuffer(bytes: bytes)) }

    init(_ actions: [MP4FileAction]) { perform(actions) }

    mutating func perform(_ actions: [MP4FileAction]) {
        for action in actions {
            switch action {
            case .append(let buffers): for buffer in buffers { append(buffer) }
            case .overwrite(let offset, let bytes): overwrite(offset, bytes)
            case .truncate(let length): truncate(length)
            case .sync: syncs += 1
            }
        }
    }

    private mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        pieces.append((length, buffer))
        length += Int64(buffer.readableBytes)
    }

    mutating func overwrite(_ offset: Int64, _ bytes: ByteBuffer) {
        for (index, byte) in bytes.readableBytesView.enumerated() {
            let place = offset + Int64(index)
            guard let piece = piece(at: place) else { continue }
            let at = pieces[piece].bytes.readerIndex + Int(place - pieces[piece].offset)
            pieces[piece].bytes.setInteger(byte, at: at)
        }
    }

    mutating func truncate(_ newLength: Int64) {
        while let last = pieces.last, last.offset >= newLength { pieces.removeLast() }
        if let last = pieces.indices.last {
            let buffer = pieces[last].bytes
            let count = min(buffer.readableBytes, Int(newLength - pieces[last].offset))
            pieces[last].bytes.moveWriterIndex(to: buffer.readerIndex + count)
        }
        length = min(length, newLength)
    }

    private func piece(at offset: Int64) -> Int? {
        var low = 0
        var high = pieces.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].offset <= offset { low = middle } else { high = middle }
        }
        return low < pieces.count ? low : nil
    }

    func read(_ offset: Int64, _ count: Int) -> ByteBuffer? {
        guard offset >= 0, count >= 0, offset + Int64(count) <= length else { return nil }
        var result = ByteBuffer()
        var offset = offset
        var left = count
        while left > 0, let index = piece(at: offset) {
            let piece = pieces[index]
            let start = Int(offset - piece.offset)
            let step = min(left, piece.bytes.readableBytes - start)
            guard let slice = piece.bytes.getSlice(at: piece.bytes.readerIndex + start, length: step) else {
                return nil
            }
            result.writeImmutableBuffer(slice)
            offset += Int64(step)
            left -= step
        }
        return result
    }

    var bytes: [UInt8] { pieces.flatMap { Array($0.bytes.readableBytesView) } }

    func reader(_ check: MP4Reader.Check = .none) throws(MP4Reader.Failure) -> MP4Reader {
        try MP4Reader(length: length, check: check, read: read)
    }

    /// The boxes of the outermost level; the last one may be cut off.
    var boxes: [(type: String, offset: Int64, length: Int64)] {
        var boxes: [(type: String, offset: Int64, length: Int64)] = []
        var offset: Int64 = 0
        while length - offset >= 8, var header = read(offset, Int(min(16, length - offset))) {
            guard let size: UInt32 = header.readInteger(), let type = header.readString(length: 4) else { break }
            let long: UInt64? = size == 1 ? header.readInteger() : UInt64(size)
            guard let long, long >= 8 else { break }
            boxes.append((type, offset, Int64(long)))
            offset += Int64(long)
        }
        return boxes
    }
}

/// Frames for tests, and what a writer makes of them.
enum MP4Material {
    static let video = VideoFormat(
        sps: [
            0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBB, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
            0x00, 0x03, 0x03, 0x20, 0xF1, 0x83, 0x19, 0x60,
        ], pps: [0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0], size: PictureSize(width: 1280, height: 720), frameRate: 25,
        bitrate: 800_000)
    static let audio = AudioFormat(rate: 16000, channels: 1, bitrate: 32000)
    static let format = StreamFormat(video: video, audio: audio)

    /// The monotonic time of the file's beginning: no round number in any time scale.
    static let start = MediaTime(nanoseconds: 123_456_789_012_345)

    static func identity(start: MediaTime = start) -> SegmentIdentity {
        SegmentIdentity(
            segment: UniqueID(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF),
            boot: UniqueID(high: 1, low: 2), device: "gate-3", channel: 2, stream: "main", kind: 1, start: start,
            utcStart: 1_795_000_000_123)
    }

    static func picture(_ time: MediaTime, isKey: Bool = false, bytes: Int = 30, fill: UInt8 = 0x41) -> EncodedFrame {
        frame(.video, time, isKey: isKey, ByteBuffer(repeating: fill, count: bytes))
    }

    static func sound(_ time: MediaTime, bytes: Int = 10, fill: UInt8 = 0x21) -> EncodedFrame {
        frame(.audio, time, isKey: true, ByteBuffer(repeating: fill, count: bytes))
    }

    static func frame(_ kind: MediaKind, _ time: MediaTime, isKey: Bool, _ data: ByteBuffer) -> EncodedFrame {
        EncodedFrame(kind: kind, isKey: isKey, time: start + time, data: data)
    }

    /// Pictures with `gop` from one key to the next, sound beside them, each frame of its own size and content, in the
    /// order of their times.
    static func frames(
        pictures: Int, gop: Int, soundStart: MediaTime? = .milliseconds(7), bytes: Int = 30
    ) -> [EncodedFrame] {
        let end = MediaTime.milliseconds(Int64(pictures) * 40)
        var frames = (0..<pictures).map {
            picture(
                .milliseconds(Int64($0) * 40), isKey: $0 % gop == 0, bytes: bytes + $0 % 7,
                fill: UInt8(truncatingIfNeeded: $0))
        }
        if let soundStart {
            let count = (end - soundStart).ticks(rate: audio.rate) / Int64(AudioFormat.samplesPerFrame)
            frames += (0..<count).map {
                sound(
                    soundStart + .samples($0 * 1024, rate: audio.rate), bytes: 9 + Int($0) % 3,
                    fill: UInt8(truncatingIfNeeded: 128 + $0))
            }
        }
        return frames.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    /// All actions of a file, from its head to its close.
    static func actions(
        _ frames: [EncodedFrame], format: StreamFormat = format, limits: MP4Writer.Limits = .init(),
        end: MediaTime? = nil
    ) throws -> [MP4FileAction] {
        var writer = try MP4Writer(format: format, identity: identity(), limits: limits)
        var actions = writer.begin()
        for frame in frames { actions += try writer.append(frame, format: format) }
        return actions + writer.finish(end: end.map { start + $0 })
    }

    /// The same without the close.
    static func growing(_ frames: [EncodedFrame], format: StreamFormat = format) throws -> [MP4FileAction] {
        var writer = try MP4Writer(format: format, identity: identity())
        var actions = writer.begin()
        for frame in frames { actions += try writer.append(frame, format: format) }
        return actions + writer.flush()
    }
}

extension MP4Image {
    /// What is at a sample's place.
    func data(_ sample: MP4Sample) -> ByteBuffer? { read(sample.offset, sample.size) }
}

/// Whether a sample read is the frame that was written, to a tick of its track.
func matches(_ sample: MP4Sample, _ frame: EncodedFrame, in image: MP4Image) -> Bool {
    let error = sample.time - (frame.time - MP4Material.start)
    return sample.kind == frame.kind && sample.isKey == frame.isKey && abs(error.nanoseconds) <= 40_000
        && image.data(sample) == frame.data
}
