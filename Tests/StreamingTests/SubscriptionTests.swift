import Containers
import Media
import NIOCore
import NIOEmbedded
import Streaming
import Testing

/// A transport that takes what it is told to take.
final class RecordingSink: FrameSink {
    var isWritable = true
    var frames: [(kind: MediaKind, isKey: Bool, timestamp: UInt32, first: UInt8)] = []
    var headers: [(at: Int, StreamHeaders)] = []
    var flushes = 0
    var hasEnded = false

    func send(headers: StreamHeaders, timestamp: UInt32) { self.headers.append((frames.count, headers)) }
    func send(frame: StreamFrame, timestamp: UInt32) {
        frames.append((frame.kind, frame.isKey, timestamp, frame.data.readableBytesView.first ?? 0))
    }
    func flush() { flushes += 1 }
    func streamEnded() { hasEnded = true }
}

final class RecordingControl: StreamControl, @unchecked Sendable {
    var demands: [Bool] = []
    var keyFrames = 0
    func demandChanged(_ isWanted: Bool) { demands.append(isWanted) }
    func requestKeyFrame() { keyFrames += 1 }
    func setBitrateCeiling(_ bitsPerSecond: Int?, for consumer: UInt64) {}
}

@Suite struct SubscriptionTests {
    private let loop = EmbeddedEventLoop()
    private let hub = StreamHub(name: "test", hasVideo: true, hasAudio: true)
    private let sink = RecordingSink()

    init() {
        hub.setFormat(video: Self.format(width: 640))
        hub.setFormat(audio: AudioFormat(rate: 16000, channels: 1, bitrate: 32000))
    }

    private static func format(width: Int) -> VideoFormat {
        VideoFormat(
            sps: [0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x47, 0xFE, 0xC8],
            pps: [0x68, 0xCE, 0x38, UInt8(width & 255)],
            size: PictureSize(width: width, height: 480), frameRate: 25, bitrate: 0)
    }

    private func video(_ milliseconds: Int64, key: Bool = false, bytes: Int = 100) {
        publish(.video, milliseconds, key, bytes)
    }

    private func audio(_ milliseconds: Int64) { publish(.audio, milliseconds, true, 20) }

    private func publish(_ kind: MediaKind, _ milliseconds: Int64, _ key: Bool, _ bytes: Int) {
        var data = EncodedFrame.makeBuffer(capacity: bytes)
        data.writeRepeatingByte(UInt8(milliseconds / 40 & 255), count: bytes)
        hub.publish(TaggedFrame(EncodedFrame(kind: kind, isKey: key, time: .milliseconds(milliseconds), data: data)))
        loop.run()
    }

    private func subscribe(
        start: Subscription.Start = .cachedGroup, tracks: TrackSelection = .all, limits: Subscription.Limits = .viewer,
        origin: MediaTime = .zero
    ) throws -> Subscription {
        try #require(hub.subscribe(sink, on: loop, start: start, tracks: tracks, limits: limits, origin: origin))
    }

    @Test func startsAtTheCachedKeyFrameWithTimeZero() throws {
        video(1000, key: true)
        audio(990)
        audio(1010)
        video(1040)
        _ = try subscribe()
        #expect(sink.frames.map(\.timestamp) == [0, 10, 40])
        #expect(sink.headers.count == 1 && sink.headers[0].at == 0)
        video(1080)
        #expect(sink.frames.map(\.timestamp) == [0, 10, 40, 80])
    }

    @Test func withoutACacheAKeyFrameIsAskedForAndWaitedFor() throws {
        let control = RecordingControl()
        hub.setControl(control)
        let subscription = try subscribe()
        #expect(control.demands == [true])
        #expect(control.keyFrames == 1)
        audio(0)
        video(40)
        #expect(sink.frames.isEmpty)
        #expect(!subscription.hasStarted)
        video(80, key: true)
        #expect(sink.frames.count == 1)
        subscription.cancel()
        #expect(control.demands == [true, false])
        video(120)
        #expect(sink.frames.count == 1)
    }

    @Test func aFreshStartPassesTheCacheBy() throws {
        video(0, key: true)
        video(40)
        _ = try subscribe(start: .freshKeyFrame)
        video(80)
        video(120, key: true)
        #expect(sink.frames.map(\.timestamp) == [0])
        #expect(sink.frames[0].first == 3)
    }

    @Test func whatDoesNotFitIsDroppedToTheNextKeyFrame() throws {
        video(0, key: true)
        let subscription = try subscribe(limits: .init(bytes: 1000, span: .seconds(60)))
        sink.isWritable = false
        for index in 1...20 { video(Int64(index) * 40) }
        #expect(subscription.counters.drops == 1)
        #expect(subscription.queuedBytes == 0)
        video(840, key: true)
        video(880)
        #expect(subscription.queuedBytes > 0)
        sink.isWritable = true
        subscription.sinkBecameWritable()
        // Nothing between what was sent before and the key frame: a decoder never sees a broken chain.
        #expect(sink.frames.map(\.timestamp) == [0, 840, 880])
        #expect(sink.frames[1].isKey)
        #expect(subscription.counters.framesDropped == 20)
    }

    @Test func theQueueIsBoundedInTimeToo() throws {
        video(0, key: true)
        let subscription = try subscribe(limits: .init(bytes: 1 << 20, span: .seconds(1)))
        sink.isWritable = false
        for index in 1...30 { video(Int64(index) * 40) }
        #expect(subscription.counters.drops == 1)
        #expect(subscription.queuedSpan <= .seconds(1))
    }

    @Test func oneSlowSubscriberCostsTheOthersNothing() throws {
        let slow = RecordingSink()
        slow.isWritable = false
        video(0, key: true)
        _ = try subscribe()
        let behind = try #require(hub.subscribe(slow, on: loop, limits: .init(bytes: 2000, span: .seconds(1))))
        for index in 1...500 {
            video(Int64(index) * 40, key: index % 50 == 0)
            #expect(behind.queuedBytes <= 2000)
        }
        #expect(sink.frames.count == 501)
        #expect(slow.frames.isEmpty)
        #expect(behind.counters.framesDropped > 400)
    }

    @Test func aFrameLargerThanTheLimitDoesNotStickInTheQueue() throws {
        video(0, key: true)
        let subscription = try subscribe(limits: .init(bytes: 1000, span: .seconds(1)))
        sink.isWritable = false
        video(40, key: true, bytes: 5000)
        #expect(subscription.queuedBytes == 0)
    }

    @Test func newHeadersComeBeforeTheKeyFrameThatNeedsThem() throws {
        video(0, key: true)
        _ = try subscribe()
        video(40)
        hub.setFormat(video: Self.format(width: 320))
        audio(60)
        video(80, key: true)
        #expect(sink.headers.map(\.at) == [0, 2] || sink.headers.map(\.at) == [0, 3])
        #expect(sink.headers.last?.1.format.video?.size.width == 320)
        let last = try #require(sink.headers.last)
        #expect(sink.frames.count > last.at)
    }

    @Test func timeStampsNeverRepeatOnATrack() throws {
        video(0, key: true)
        _ = try subscribe()
        for time in [40, 40, 39, 41, 80] { video(Int64(time)) }
        #expect(sink.frames.map(\.timestamp) == [0, 40, 41, 42, 43, 80])
    }

    @Test func timeStampsRunPastEveryBorder() throws {
        video(0, key: true)
        _ = try subscribe(origin: .milliseconds(0xFFFF_FFFF - 60))
        video(40)
        video(80)
        #expect(sink.frames.map(\.timestamp) == [0xFFFF_FFC3, 0xFFFF_FFEB, 19])
    }

    @Test func oneTrackAlone() throws {
        video(0, key: true)
        _ = try subscribe(tracks: .audio)
        video(40)
        audio(50)
        #expect(sink.frames.map(\.kind) == [.audio])
        #expect(sink.headers[0].1.format.video == nil)
    }

    @Test func nothingIsPublishedBeforeAllFormatsAreKnown() throws {
        let hub = StreamHub(name: "test", hasVideo: true, hasAudio: true)
        _ = hub.subscribe(sink, on: loop)
        hub.setFormat(video: Self.format(width: 640))
        var data = EncodedFrame.makeBuffer(capacity: 1)
        data.writeInteger(UInt8(1))
        hub.publish(TaggedFrame(EncodedFrame(kind: .video, isKey: true, time: .zero, data: data)))
        loop.run()
        #expect(sink.frames.isEmpty)
    }

    @Test func theEndIsToldOnce() throws {
        _ = try subscribe()
        hub.close()
        loop.run()
        #expect(sink.hasEnded)
        #expect(hub.subscribe(RecordingSink(), on: loop) == nil)
    }

    @Test func theCacheIsBounded() {
        let hub = StreamHub(
            name: "test", hasVideo: true, hasAudio: false, cache: GOPCache(maximumBytes: 1000, maximumFrames: 5))
        hub.setFormat(video: Self.format(width: 640))
        for index in 0..<20 {
            var data = EncodedFrame.makeBuffer(capacity: 100)
            data.writeRepeatingByte(0, count: 100)
            hub.publish(
                TaggedFrame(
                    EncodedFrame(kind: .video, isKey: index == 0, time: .milliseconds(Int64(index) * 40), data: data)))
            #expect(hub.statistics.cachedBytes <= 1000)
        }
        #expect(hub.statistics.cachedBytes == 0)
        #expect(hub.statistics.videoFrames == 20)
    }
}
