import Codecs
import Containers
import Glibc
import Imaging
import Media
import NIOCore
import TestSupport
import Testing

private let ffmpeg = "/usr/bin/ffmpeg"
private let ffprobe = "/usr/bin/ffprobe"
private let hasTools = [ffmpeg, ffprobe].allSatisfy { (path: String) in access(path, X_OK) == 0 }

/// Real H.264 and AAC in our files, judged by ffmpeg: closed, growing, cut off and repaired.
@Suite(.enabled(if: hasTools), .serialized, .timeLimit(.minutes(5))) struct MP4PlayersTests {
    private static let size = PictureSize(width: 160, height: 96)
    private static let rate = 16000
    private static let clickLength = 0.002

    /// Ten seconds, a flash and a click at each whole second. Sound comes late, as it does live, and its first frame is
    /// stamped before the first picture.
    private static let stream: (format: StreamFormat, frames: [EncodedFrame])? = try? encode(seconds: 10)

    private static func encode(seconds: Int) throws -> (StreamFormat, [EncodedFrame]) {
        let video = try X264Encoder(
            VideoEncoderSettings(
                size: size, frameRate: 25, preset: "ultrafast", rateControl: .bitrate(200_000), keyFrameInterval: 2))
        let audio = try AACEncoder(AudioEncoderSettings(rate: rate))
        let pool = PicturePool(size: size)
        var random = SplitMix64(state: 7)
        var frames: [EncodedFrame] = []
        for index in 0..<(seconds * 25) {
            // A camera's jitter, but for the first of each second, which the flash is measured by.
            let jitter = index % 25 == 0 ? 0 : Int64(random.below(3000))
            let time = MediaTime.microseconds(Int64(index) * 40_000 + jitter)
            guard let picture = pool.take(time: MP4Material.start + time) else { continue }
            let canvas = PictureCanvas(picture)
            canvas.fill(x: 0, y: 0, width: size.width, height: size.height, luma: index % 25 == 0 ? 235 : 16)
            canvas.fill(x: index % 100, y: 20, width: 30, height: 30, luma: 100)
            if let frame = try video.encode(picture, forceKeyFrame: false) { frames.append(frame) }
        }
        let samples = (0..<seconds * rate).map { index in
            let second = Double(index % rate) / Double(rate)
            return second < clickLength ? Int16(20_000 * sin(2 * .pi * 2000 * second)) : 0
        }
        var sounds: [EncodedFrame] = []
        try audio.encode(samples, time: MP4Material.start) { sounds.append($0) }
        frames += sounds
        frames.sort { arrival($0) < arrival($1) }
        return (StreamFormat(video: video.format, audio: audio.format), frames)
    }

    private static func arrival(_ frame: EncodedFrame) -> MediaTime {
        frame.kind == .video ? frame.time : frame.time + .milliseconds(170)
    }

    // MARK: ffmpeg and ffprobe

    private final class Folder {
        let path: String
        init() throws { path = try temporaryFolder() }
        deinit { removeFolder(path) }

        func run(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
            let process = try ChildProcess(arguments, output: path + "/output", errors: path + "/errors")
            let status = try await process.wait()
            return (
                status, String(buffer: try readFile(path + "/output")), String(buffer: try readFile(path + "/errors"))
            )
        }

        func write(_ image: MP4Image) throws -> String {
            try writeFile(path + "/file.mp4", image.bytes)
            return path + "/file.mp4"
        }
    }

    private struct Packet: Equatable {
        let kind: MediaKind
        let milliseconds: Double
        let size: Int
        let isKey: Bool
    }

    /// Decodes all of a file without a complaint.
    private func expectDecodes(_ file: String, _ folder: Folder) async throws {
        let result = try await folder.run([
            ffmpeg, "-v", "error", "-xerror", "-i", file, "-map", "0", "-f", "null", "-",
        ])
        #expect(result.status == 0)
        #expect(result.errors == "")
    }

    private func packets(_ file: String, _ folder: Folder) async throws -> [Packet] {
        let result = try await folder.run([
            ffprobe, "-v", "error", "-show_entries", "packet=codec_type,pts_time,size,flags", "-of",
            "default=noprint_wrappers=1", file,
        ])
        #expect(result.errors == "")
        var packets: [Packet] = []
        var fields: [Substring: Substring] = [:]
        for line in result.output.split(separator: "\n") {
            let parts = line.split(separator: "=")
            guard parts.count == 2 else { continue }
            fields[parts[0]] = parts[1]
            guard parts[0] == "flags" else { continue }
            packets.append(
                Packet(
                    kind: fields["codec_type"] == "video" ? .video : .audio,
                    milliseconds: (fields["pts_time"].flatMap { Double($0) } ?? .nan) * 1000,
                    size: fields["size"].flatMap { Int($0) } ?? 0, isKey: parts[1].hasPrefix("K")))
            fields = [:]
        }
        return packets
    }

    /// Each frame once, with its size, at its time to the millisecond: on both tracks, so that their distance holds too.
    private func expect(_ packets: [Packet], are frames: [EncodedFrame]) {
        for kind in [MediaKind.video, .audio] {
            let found = packets.filter { $0.kind == kind }
            let given = frames.filter { $0.kind == kind }
            #expect(found.count == given.count)
            let wrong = zip(found, given).first { packet, frame in
                let time = (frame.time - MP4Material.start).seconds * 1000
                return packet.size != frame.data.readableBytes || packet.isKey != frame.isKey
                    || abs(packet.milliseconds - time) > 0.5
            }
            #expect(wrong == nil)
        }
    }

    private func duration(_ file: String, _ folder: Folder) async throws -> Double {
        let result = try await folder.run([
            ffprobe, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file,
        ])
        return (Double(result.output.filter { $0 != "\n" }) ?? .nan) * 1000
    }

    // MARK: Tests

    @Test func aClosedFileIsAnOrdinaryMP4() async throws {
        let (format, frames) = try #require(Self.stream)
        let folder = try Folder()
        let image = MP4Image(try MP4Material.actions(frames, format: format, end: .seconds(10)))
        let file = try folder.write(image)
        try await expectDecodes(file, folder)
        expect(try await packets(file, folder), are: frames)
        #expect(abs(try await duration(file, folder) - 10_000) < 1)
        let seen = try await folder.run([
            ffprobe, "-v", "error", "-show_entries",
            "format=format_name,nb_streams:format_tags=creation_time:stream=codec_name,width,height,sample_rate,nb_frames",
            "-of", "default=noprint_wrappers=1", file,
        ])
        for line in [
            "format_name=mov,mp4,m4a,3gp,3g2,mj2", "nb_streams=2", "codec_name=h264", "codec_name=aac", "width=160",
            "height=96", "sample_rate=16000", "nb_frames=250", "TAG:creation_time=2026-11-18T11:06:40.000000Z",
        ] { #expect(seen.output.contains(line)) }
    }

    @Test func aGrowingFilePlays() async throws {
        let (format, frames) = try #require(Self.stream)
        let folder = try Folder()
        let file = try folder.write(MP4Image(try MP4Material.growing(frames, format: format)))
        try await expectDecodes(file, folder)
        expect(try await packets(file, folder), are: frames)
    }

    /// At arbitrary bytes; what the reader calls valid is decoded, as it is and repaired, and so is the file while its
    /// movie box is being appended.
    @Test func aCutFilePlaysUpToItsLastWholeFragment() async throws {
        let (format, frames) = try #require(Self.stream)
        let folder = try Folder()
        let growing = MP4Image(try MP4Material.growing(frames, format: format))
        let closed = MP4Image(try MP4Material.actions(frames, format: format))
        var random = SplitMix64(state: 11)
        for (image, count) in [(growing, 12), (closed, 6)] {
            let first = Int(try #require(growing.boxes.first { $0.type == "mdat" }).offset)
            for _ in 0..<count {
                var cut = image
                cut.truncate(Int64(first + random.below(Int(image.length) - first)))
                let reader = try cut.reader(.lastFragment)
                // What a reader of fragments is given where the last write of the close is undone.
                var valid = MP4Image(Array(growing.bytes.prefix(Int(reader.validLength))))
                let samples = Array(reader.samples())
                for _ in 0..<2 {
                    let file = try folder.write(valid)
                    if !samples.isEmpty { try await expectDecodes(file, folder) }
                    let packets = try await packets(file, folder)
                    #expect(packets.count == samples.count)
                    for kind in [MediaKind.video, .audio] {
                        let sizes = packets.filter { $0.kind == kind }.map(\.size)
                        #expect(sizes == samples.filter { $0.kind == kind }.map(\.size))
                        #expect(
                            sizes == frames.filter { $0.kind == kind }.prefix(sizes.count).map(\.data.readableBytes))
                    }
                    valid = cut
                    valid.perform(reader.repair())
                }
            }
        }
    }

    /// The last write of the close, torn: nothing of it arrived, only the size, only the type, half the type.
    @Test(arguments: [[], [0, 1, 2, 3], [4, 5, 6, 7], [3, 4, 5]]) func aTornHeaderPlays(arrived: [Int]) async throws {
        let (format, frames) = try #require(Self.stream)
        var actions = try MP4Material.actions(frames, format: format)
        _ = actions.popLast()
        guard case .overwrite(let offset, let header)? = actions.popLast() else {
            Issue.record("no header at the end")
            return
        }
        var image = MP4Image(actions)
        for byte in arrived {
            image.overwrite(
                offset + Int64(byte), try #require(header.getSlice(at: header.readerIndex + byte, length: 1)))
        }
        let folder = try Folder()
        let file = try folder.write(image)
        try await expectDecodes(file, folder)
        expect(try await packets(file, folder), are: frames)
    }

    /// Decoded, flash and click come at the same moments, in the closed file and in the growing one.
    @Test(arguments: [false, true]) func flashAndClickMeet(isClosed: Bool) async throws {
        let (format, frames) = try #require(Self.stream)
        let folder = try Folder()
        let actions =
            isClosed ? try MP4Material.actions(frames, format: format) : try MP4Material.growing(frames, format: format)
        let file = try folder.write(MP4Image(actions))
        let sound = try await folder.run([
            ffmpeg, "-v", "error", "-copyts", "-i", file, "-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-f",
            "s16le",
            folder.path + "/sound",
        ])
        #expect(sound.status == 0)
        var bytes = try readFile(folder.path + "/sound")
        var clicks: [Double] = []
        var index = 0
        while let sample: Int16 = bytes.readInteger(endianness: .little) {
            let time = Double(index) / Double(Self.rate)
            if abs(Int(sample)) > 4000, time - (clicks.last ?? -1) > 0.5 { clicks.append(time) }
            index += 1
        }
        let flashes = try await flashes(file, folder)
        #expect(flashes.count == 10)
        // The first click lies where the encoder has no past to lean on.
        #expect(clicks.count >= 9)
        for flash in flashes.dropFirst() {
            #expect(clicks.contains { abs($0 - flash) < 0.003 })
        }
    }

    private func flashes(_ file: String, _ folder: Folder) async throws -> [Double] {
        let result = try await folder.run([
            ffprobe, "-v", "error", "-f", "lavfi", "-i", "movie=\(file),signalstats", "-show_entries",
            "frame=pts_time:frame_tags=lavfi.signalstats.YAVG", "-of", "csv=p=0",
        ])
        return result.output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",").compactMap { Double($0) }
            return fields.count == 2 && fields[1] > 100 ? fields[0] : nil
        }
    }
}
