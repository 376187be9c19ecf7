import Containers
import Media
import NIOCore
import Recording
import Streaming

/// Frames of a stream with a number in each, so that they can be told apart when they are read again.
struct TestStream {
    let key: StreamKey
    /// Pictures from one key picture to the next.
    var group = 5
    var interval = MediaTime.milliseconds(200)
    var pictureBytes = 200
    /// Nil for a stream without sound.
    let audio: AudioFormat?
    let hasVideo: Bool
    private let headers: StreamHeaderSet
    private var sequence: UInt64 = 0
    private var pictures = 0
    private var sinceKey = 0
    private var sounds = 0
    private var nextPicture: MediaTime
    private var nextSound: MediaTime

    init(_ key: StreamKey, start: MediaTime, hasVideo: Bool = true, hasAudio: Bool = true) throws {
        self.key = key
        self.hasVideo = hasVideo
        audio = hasAudio ? AudioFormat(rate: 8000, channels: 1, bitrate: 16000) : nil
        let format = StreamFormat(video: hasVideo ? Self.video : nil, audio: audio)
        guard let headers = StreamHeaderSet(format) else { throw Unusable() }
        self.headers = headers
        nextPicture = start
        nextSound = start
    }

    private struct Unusable: Error {}

    static let video = VideoFormat(
        sps: [0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x47, 0xFE, 0xC8], pps: [0x68, 0xCE, 0x38, 0x80],
        size: PictureSize(width: 640, height: 480), frameRate: 5, bitrate: 0)

    /// All frames with times before `time`, in the order in which a hub would pass them on.
    mutating func frames(until time: MediaTime) -> [StreamFrame] {
        var frames: [StreamFrame] = []
        while true {
            let picture = hasVideo ? nextPicture : nil
            let soundDue = audio.map { nextSound + .samples(1024, rate: $0.rate) }
            guard let next = [picture, soundDue].compactMap({ $0 }).min(), next < time else { return frames }
            if let picture, picture == next {
                frames.append(make(.video, isKey: sinceKey == 0, time: picture, number: pictures))
                pictures += 1
                sinceKey = (sinceKey + 1) % group
                nextPicture += interval
            } else {
                frames.append(make(.audio, isKey: true, time: nextSound, number: sounds))
                sounds += 1
                nextSound += .samples(1024, rate: audio?.rate ?? 8000)
            }
        }
    }

    /// Sound comes when its frame is full, so later than a picture of the same time.
    static func arrival(of frame: StreamFrame) -> MediaTime {
        guard frame.kind == .audio, let audio = frame.headers.all.format.audio else { return frame.time }
        return frame.time + .samples(1024, rate: audio.rate)
    }

    /// As if the stream had given nothing until `time`.
    mutating func skip(to time: MediaTime) {
        while nextPicture < time { nextPicture += interval }
        while nextSound < time { nextSound += .samples(1024, rate: audio?.rate ?? 8000) }
        beginAnew()
    }

    /// As an encoder that was stopped meanwhile: the next picture is a key picture.
    mutating func beginAnew() { sinceKey = 0 }

    var picturesMade: Int { pictures }

    private mutating func make(_ kind: MediaKind, isKey: Bool, time: MediaTime, number: Int) -> StreamFrame {
        var data = EncodedFrame.makeBuffer(capacity: pictureBytes + 8)
        let payload = kind == .video ? pictureBytes : 20
        data.writeInteger(UInt32(payload))
        data.writeInteger(UInt32(number))
        data.writeRepeatingByte(UInt8(number & 255), count: payload - 4)
        defer { sequence += 1 }
        return StreamFrame(
            TaggedFrame(EncodedFrame(kind: kind, isKey: isKey, time: time, data: data)), sequence: sequence,
            headers: headers)
    }

    /// Where numbers that should count up from `first` do not: the one before and the one after.
    static func holes(in numbers: [Int], from first: Int = 0) -> [ClosedRange<Int>] {
        zip([first - 1] + numbers, numbers).filter { $1 != $0 + 1 }.map { min($0, $1)...max($0, $1) }
    }

    /// The number in a frame's bytes; nil where they are not as they were made.
    static func number(in data: ByteBuffer) -> Int? {
        guard let length: UInt32 = data.getInteger(at: data.readerIndex),
            Int(length) == data.readableBytes - 4,
            let number: UInt32 = data.getInteger(at: data.readerIndex + 4),
            data.readableBytesView.dropFirst(8).allSatisfy({ $0 == UInt8(number & 255) })
        else { return nil }
        return Int(number)
    }
}
