import Containers
import Glibc
import Logging
import Media
import NIOCore
import NIOPosix
import Publishing
import Streaming
import Synchronization
import TestSupport
import Testing

private let nginx = "/usr/sbin/nginx"
private let rtmpModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
private let ffmpeg = "/usr/bin/ffmpeg"
private let hasTools = [nginx, rtmpModule, ffmpeg].allSatisfy { (path: String) in access(path, R_OK) == 0 }

/// Real H.264 and AAC, published to a real service, and looked at there.
@Suite(.enabled(if: hasTools), .serialized, .timeLimit(.minutes(2))) struct MediaServiceTests {
    private let group = MultiThreadedEventLoopGroup.singleton
    private static let seconds = 10

    /// nginx with its RTMP module, recording all it is given.
    private final class Nginx {
        let folder: String
        let port: Int
        private let process: ChildProcess

        init() async throws {
            folder = try temporaryFolder()
            chmod(folder, 0o777)
            // A port that was free a moment ago.
            let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).get()
            port = probe.localAddress?.port ?? 0
            try await probe.close().get()
            let configuration = """
                load_module \(rtmpModule);
                daemon off;
                master_process off;
                pid \(folder)/nginx.pid;
                error_log \(folder)/error.log info;
                events { worker_connections 64; }
                rtmp {
                    server {
                        listen 127.0.0.1:\(port);
                        chunk_size 4096;
                        application live { live on; record all; record_path \(folder); }
                    }
                }
                """
            try writeFile(folder + "/nginx.conf", configuration)
            process = try ChildProcess(
                [nginx, "-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/error.log"],
                errors: folder + "/stderr")
        }

        /// In order, so that all files are whole afterwards.
        func stop() async throws {
            process.terminate()
            _ = try await process.wait()
        }
    }

    /// Ten seconds of H.264 without B-frames and AAC, as frames with their formats.
    private static func material(in folder: String) async throws -> (StreamFormat, [EncodedFrame]) {
        let file = folder + "/source.flv"
        let arguments = """
            -v error -f lavfi -i testsrc2=size=640x360:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000 \
            -t \(seconds) -c:v libx264 -preset ultrafast -tune zerolatency -bf 0 -g 25 -b:v 3M -pix_fmt yuv420p \
            -c:a aac -ac 1 -b:a 64k -f flv \(file)
            """
        let process = try ChildProcess(
            [ffmpeg] + arguments.split(separator: " ").map { String($0) }, errors: folder + "/stderr")
        try #require(try await process.wait() == 0)

        var reader = FLVReader()
        reader.feed(try readFile(file))
        var format = StreamFormat()
        var frames: [EncodedFrame] = []
        while let tag = try reader.next() {
            let time = MediaTime.milliseconds(Int64(tag.timestamp))
            switch FLVPayload(tag) {
            case .avcSequenceHeader(let record):
                let sets = try #require(AVCDecoderConfiguration.parameterSets(in: record))
                format.video = VideoFormat(
                    sps: sets.sps, pps: sets.pps, size: PictureSize(width: 640, height: 360), frameRate: 25,
                    bitrate: 3_000_000)
            case .aacSequenceHeader: format.audio = AudioFormat(rate: 48000, channels: 1, bitrate: 64000)
            case .avc(let isKey, _, let data):
                frames.append(EncodedFrame(kind: .video, isKey: isKey, time: time, data: data))
            case .aac(let data): frames.append(EncodedFrame(kind: .audio, isKey: true, time: time, data: data))
            default: break
            }
        }
        return (format, frames)
    }

    /// Publishes the material about fifteen times as fast as it plays, and tells when all of it went to the hub.
    private final class Player: Sendable {
        let hub = StreamHub(name: "0/main", hasVideo: true, hasAudio: true)
        let done: AsyncStream<Never>
        private let end: AsyncStream<Never>.Continuation
        private let frames: [EncodedFrame]
        private let next = Mutex(0)

        init(_ format: StreamFormat, _ frames: [EncodedFrame]) {
            self.frames = frames
            (done, end) = AsyncStream.makeStream()
            if let video = format.video { hub.setFormat(video: video) }
            if let audio = format.audio { hub.setFormat(audio: audio) }
        }

        func play(on loop: any EventLoop) {
            loop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(1)) { task in
                guard self.hub.subscriberCount > 0 || self.next.withLock({ $0 }) > 0 else { return }
                let index = self.next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                if index < self.frames.count {
                    self.hub.publish(TaggedFrame(self.frames[index]))
                } else {
                    task.cancel()
                    self.end.finish()
                }
            }
        }
    }

    private func makeManager(_ hub: StreamHub, chunkSize: Int = 65536) -> PushManager {
        var settings = PublishingSettings()
        settings.chunkSize = chunkSize
        settings.retry.normal = .init(first: .milliseconds(100), cap: .milliseconds(200))
        return PushManager(
            settings: settings, group: group, hubs: { _, _ in hub },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Across the borders at which time stamps grow: 24 bits, 31 bits.
    @Test(arguments: zip([0, 0xFF_FFFF - 5000, 0x7FFF_FFFF - 5000] as [UInt32], [65536, 4096, 4096] as [Int]))
    func publishesWithoutAGap(start: UInt32, chunkSize: Int) async throws {
        let nginx = try await Nginx()
        let (format, frames) = try await Self.material(in: nginx.folder)
        let player = Player(format, frames)
        let manager = makeManager(player.hub, chunkSize: chunkSize)
        player.play(on: group.next())
        var request = PushRequest(
            channel: 0, quality: .main, target: try PushTarget("rtmp://127.0.0.1:\(nginx.port)/live/cam?token=x"))
        request.startTimestamp = start
        // nginx may still be starting: an asynchronous push tries until it listens.
        let (push, _) = try await manager.open(request, waits: false)
        for await _ in player.done {}
        let closed = try await manager.close(push.id)
        try await nginx.stop()
        defer { removeFolder(nginx.folder) }

        let recorded = try #require(filesIn(nginx.folder).first { $0.hasPrefix("cam") && $0.hasSuffix(".flv") })
        var reader = FLVReader()
        reader.feed(try readFile(nginx.folder + "/" + recorded))
        var video: [UInt32] = []
        var audio: [UInt32] = []
        var data: [ByteBuffer] = []
        while let tag = try reader.next() {
            switch FLVPayload(tag) {
            case .avc(_, _, let picture):
                video.append(tag.timestamp)
                data.append(picture)
            case .aac: audio.append(tag.timestamp)
            default: break
            }
        }
        #expect(closed.framesDropped == 0)
        let pictures = frames.filter { $0.kind == .video }
        #expect(video.count == pictures.count)
        #expect(data == pictures.map(\.data))
        #expect(zip(video, video.dropFirst()).allSatisfy { $1 &- $0 == 40 })
        let sounds = frames.filter { $0.kind == .audio && $0.time >= pictures[0].time }
        #expect(audio.count == sounds.count)
        #expect(zip(audio, audio.dropFirst()).allSatisfy { (20...24).contains($1 &- $0) })
        await manager.shutdown()
    }

    /// ffmpeg as the service: FLV by HTTP POST, decoded without a complaint.
    @Test func httpPost() async throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let (format, frames) = try await Self.material(in: folder)
        let player = Player(format, frames)
        let probe = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = probe.localAddress?.port ?? 0
        try await probe.close().get()
        let service = try ChildProcess(
            [
                ffmpeg, "-v", "error", "-xerror", "-listen", "1", "-i", "http://127.0.0.1:\(port)/live/cam.flv",
                "-c", "copy", folder + "/received.flv",
            ], errors: folder + "/service")
        let manager = makeManager(player.hub)
        player.play(on: group.next())
        let request = PushRequest(
            channel: 0, quality: .main, target: try PushTarget("http://127.0.0.1:\(port)/live/cam.flv"))
        let (push, _) = try await manager.open(request, waits: false)
        for await _ in player.done {}
        _ = try await manager.close(push.id)
        #expect(try await service.wait() == 0)
        #expect(String(buffer: try readFile(folder + "/service")) == "")
        var reader = FLVReader()
        reader.feed(try readFile(folder + "/received.flv"))
        var pictures = 0
        while let tag = try reader.next() {
            if case .avc = FLVPayload(tag) { pictures += 1 }
        }
        #expect(pictures == frames.count { $0.kind == .video })
        await manager.shutdown()
    }
}
