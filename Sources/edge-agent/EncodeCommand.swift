import ArgumentParser
import Codecs
import Media
import Streaming

/// Encodes files as fast as possible with the codecs and packaging of live streams: to try settings, and to measure.
struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode", abstract: "Encodes a Y4M and a WAV file into an FLV file, as fast as possible.",
        discussion: "Size and rates are those of the files. Everything else is as in a stream's configuration.")

    @Option(help: ArgumentHelp("Pictures: a YUV4MPEG2 file, 4:2:0.", valueName: "file"))
    var video: String
    @Option(help: ArgumentHelp("Sound: a WAV file, 16-bit PCM.", valueName: "file"))
    var audio: String?
    @Option(help: ArgumentHelp("The FLV file to write.", valueName: "file"))
    var output: String
    @Option(help: "x264's preset.")
    var preset = "veryfast"
    @Option(help: "x264's tuning; several joined by commas.")
    var tune = "zerolatency"
    @Option(help: "baseline, main or high.")
    var profile = "main"
    @Option(help: "Bits a second of the pictures.")
    var bitrate = 2_000_000
    @Option(help: "Seconds from one key frame to the next.")
    var keyFrameInterval = 2.0
    @Option(help: "Encoding threads; 0 lets x264 choose.")
    var threads = 1
    @Option(help: "Bits a second of the sound.")
    var audioBitrate = 32_000

    func run() throws {
        let settings = VideoEncoderSettings(
            size: PictureSize(width: 0, height: 0), frameRate: 0, preset: preset, tune: tune, profile: profile,
            rateControl: .bitrate(bitrate), keyFrameInterval: keyFrameInterval, threads: threads)
        let encoder = FileEncoder(video: settings, audioBitrate: audioBitrate)
        let summary = try encoder.encode(pictures: video, sound: audio, output: output)
        print("\(output): \(summary.pictures) pictures, \(summary.audioFrames) sound frames, \(summary.bytes) bytes")
    }
}
