import Codecs
import Devices
import Logging
import Media
import NIOCore
import NIOPosix
import Streaming
import Testing

/// Collects what a hub gives, on a real event loop, until there is enough of it.
private final class Collector: FrameSink, @unchecked Sendable {
    struct Frame: Sendable {
        let kind: MediaKind
        let isKey: Bool
        let time: MediaTime
        let bytes: Int
    }

    let isWritable = true
    private let frames = Monitor<[Frame]>([])
    private let headers = Monitor<[StreamHeaders]>([])
    private let ended = MonitoredFlag()

    func send(headers: StreamHeaders, timestamp: UInt32) { self.headers.withLock { $0.append(headers) } }
    func send(frame: StreamFrame, timestamp: UInt32) {
        frames.withLock {
            $0.append(Frame(kind: frame.kind, isKey: frame.isKey, time: frame.time, bytes: frame.data.readableBytes))
        }
        frames.notify()
    }
    func flush() {}
    func streamEnded() { ended.set() }

    /// What there is of `kind` once it is `count` frames; nil when that takes too long.
    func wait(_ kind: MediaKind, _ count: Int) -> [Frame]? {
        frames.wait(until: SystemMediaClock().now() + .seconds(20)) { frames in
            let found = frames.filter { $0.kind == kind }
            return found.count >= count ? found : nil
        }
    }

    func waitForEnd() -> Bool { ended.wait(until: SystemMediaClock().now() + .seconds(20)) }
    var formats: [StreamFormat] { headers.withLock { $0.map(\.format) } }
}

@Suite(.serialized) struct CameraChannelTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func settings(
        camera: CameraSettings.Source = .synthetic, microphone: MicrophoneSettings.Source = .synthetic
    ) -> ChannelSettings {
        let size = PictureSize(width: 320, height: 180)
        var main = VideoEncoderSettings(size: size, frameRate: 25, rateControl: .bitrate(300_000))
        main.preset = "ultrafast"
        var sub = main
        sub.size = PictureSize(width: 160, height: 90)
        var settings = ChannelSettings(
            id: 3, name: "Test", camera: CameraSettings(source: camera, size: size, frameRate: 25),
            microphone: MicrophoneSettings(source: microphone), main: main, sub: sub, audio: AudioEncoderSettings())
        settings.linger = 0
        return settings
    }

    private func channel(_ settings: ChannelSettings) -> CameraChannel {
        CameraChannel(settings: settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func subscribe(_ sink: Collector, _ hub: StreamHub?) async throws -> @Sendable () -> Void {
        let loop = self.loop
        let subscription = try await loop.submit {
            NIOLoopBound(hub?.subscribe(sink, on: loop), eventLoop: loop)
        }.get()
        return { loop.execute { subscription.value?.cancel() } }
    }

    /// Waits, off the concurrency pool, until `body` is true; false when that takes too long.
    private func eventually(_ body: @escaping @Sendable () -> Bool) async -> Bool {
        await MediaThread.run(name: "wait") {
            let deadline = SystemMediaClock().now() + .seconds(20)
            let never = Monitor(false)
            while SystemMediaClock().now() < deadline {
                if body() { return true }
                _ = never.wait(until: SystemMediaClock().now() + .milliseconds(10)) { $0 ? true : nil }
            }
            return body()
        }
    }

    @Test func picturesAndSoundComeWithoutAHole() async throws {
        let channel = channel(settings())
        channel.start()
        defer { channel.stop() }
        let sink = Collector()
        let cancel = try await subscribe(sink, channel.hub(.main))
        let video = try #require(await MediaThread.run(name: "wait") { sink.wait(.video, 60) })
        let audio = try #require(await MediaThread.run(name: "wait") { sink.wait(.audio, 20) })
        #expect(video[0].isKey)
        for (a, b) in zip(video, video.dropFirst()) { #expect(b.time - a.time == .milliseconds(40)) }
        for (a, b) in zip(audio, audio.dropFirst()) {
            #expect(abs((b.time - a.time - .milliseconds(64)).nanoseconds) <= 1)
        }
        #expect(sink.formats.first?.video?.size == PictureSize(width: 320, height: 180))
        #expect(sink.formats.first?.audio?.rate == 16000)
        #expect(channel.status().camera.state == .running)
        cancel()
    }

    @Test func whatNobodyWantsIsNotEncoded() async throws {
        let channel = channel(settings())
        channel.start()
        defer { channel.stop() }
        #expect(await eventually { channel.status().camera.captured > 5 })
        #expect(channel.status().streams.allSatisfy { !$0.isEncoding && $0.statistics.videoFrames == 0 })
        let sink = Collector()
        let cancel = try await subscribe(sink, channel.hub(.sub))
        _ = try #require(await MediaThread.run(name: "wait") { sink.wait(.video, 5) })
        #expect(channel.status().streams.map(\.isEncoding) == [false, true])
        #expect(sink.formats.first?.video?.size == PictureSize(width: 160, height: 90))
        cancel()
        #expect(await eventually { channel.status().streams.allSatisfy { !$0.isEncoding } })
    }

    @Test func aCameraThatIsNotThereLeavesAPictureThatSaysSo() async throws {
        let channel = channel(settings(camera: .v4l2(device: "/dev/nothing")))
        channel.start()
        defer { channel.stop() }
        let sink = Collector()
        let cancel = try await subscribe(sink, channel.hub(.main))
        let video = try #require(await MediaThread.run(name: "wait") { sink.wait(.video, 5) })
        #expect(video[0].isKey)
        #expect(await MediaThread.run(name: "wait") { sink.wait(.audio, 10) } != nil)
        let status = channel.status().camera
        #expect(status.state == .absent)
        #expect(status.detail.contains("/dev/nothing"))
        #expect(await channel.snapshot(.main)?.prefix(2) == [0xFF, 0xD8])
        cancel()
    }

    @Test func aMicrophoneThatIsNotThereLeavesSilence() async throws {
        let channel = channel(settings(microphone: .alsa(device: "hw:CARD=Nothing")))
        channel.start()
        defer { channel.stop() }
        let sink = Collector()
        let cancel = try await subscribe(sink, channel.hub(.main))
        let audio = try #require(await MediaThread.run(name: "wait") { sink.wait(.audio, 20) })
        for (a, b) in zip(audio, audio.dropFirst()) {
            #expect(abs((b.time - a.time - .milliseconds(64)).nanoseconds) <= 1)
        }
        #expect(channel.status().microphone.state == .absent)
        cancel()
    }

    @Test(arguments: [true, false]) func oneTrackIsEnough(hasVideo: Bool) async throws {
        let channel = channel(
            settings(camera: hasVideo ? .synthetic : .none, microphone: hasVideo ? .none : .synthetic))
        channel.start()
        defer { channel.stop() }
        let sink = Collector()
        let cancel = try await subscribe(sink, channel.hub(.main))
        #expect(await MediaThread.run(name: "wait") { sink.wait(hasVideo ? .video : .audio, 10) } != nil)
        #expect((sink.formats.first?.video != nil) == hasVideo)
        #expect((sink.formats.first?.audio != nil) == !hasVideo)
        cancel()
    }

    @Test func aSnapshotIsAJPEGOfTheStreamsSize() async throws {
        let channel = channel(settings())
        channel.start()
        defer { channel.stop() }
        let jpeg = try #require(await channel.snapshot(.sub))
        // The frame header: 0xFFC0, length, precision, height, width.
        let start = try #require(jpeg.indices.dropLast(9).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        #expect(Int(jpeg[start + 5]) << 8 | Int(jpeg[start + 6]) == 90)
        #expect(Int(jpeg[start + 7]) << 8 | Int(jpeg[start + 8]) == 160)
    }

    @Test func stoppingEndsTheStream() async throws {
        let channel = channel(settings())
        channel.start()
        let sink = Collector()
        _ = try await subscribe(sink, channel.hub(.main))
        #expect(await MediaThread.run(name: "wait") { sink.wait(.video, 1) } != nil)
        await MediaThread.run(name: "stop") { channel.stop() }
        #expect(await MediaThread.run(name: "wait") { sink.waitForEnd() })
        #expect(channel.status().camera.state == .stopped)
    }
}
