import Codecs
import Imaging
import Media
import NIOCore
import Testing

@Suite struct X264EncoderTests {
    private let size = PictureSize(width: 320, height: 180)

    private func settings(_ rate: VideoEncoderSettings.RateControl = .bitrate(400_000)) -> VideoEncoderSettings {
        VideoEncoderSettings(size: size, frameRate: 25, preset: "ultrafast", rateControl: rate, keyFrameInterval: 1)
    }

    private func picture(_ index: Int, _ pool: PicturePool) throws -> Picture {
        let picture = try #require(pool.take(time: .milliseconds(Int64(index) * 40)))
        let canvas = PictureCanvas(picture)
        canvas.fill(x: 0, y: 0, width: size.width, height: size.height, luma: 90)
        canvas.fill(x: index * 3 % 200, y: 20, width: 60, height: 60, luma: 200, u: 90, v: 160)
        return picture
    }

    private func nalTypes(_ frame: EncodedFrame) -> [UInt8] {
        var data = frame.data
        var types: [UInt8] = []
        while let length: UInt32 = data.readInteger(), let nal = data.readSlice(length: Int(length)) {
            if let first = nal.readableBytesView.first { types.append(first & 0x1F) }
        }
        #expect(data.readableBytes == 0)
        return types
    }

    @Test(arguments: [PixelFormat.i420, .nv12])
    func everyPictureComesOutAtOnceWithItsTime(format: PixelFormat) throws {
        let encoder = try X264Encoder(settings())
        let pool = PicturePool(size: size, format: format)
        for index in 0..<60 {
            let frame = try #require(try encoder.encode(try picture(index, pool), forceKeyFrame: false))
            #expect(frame.time == .milliseconds(Int64(index) * 40))
            #expect(frame.isKey == (index % 25 == 0))
            #expect(nalTypes(frame).contains(frame.isKey ? H264.NALType.idr : H264.NALType.slice))
            #expect(!nalTypes(frame).contains(H264.NALType.sps))
            #expect(frame.data.readerIndex >= 5)
        }
        #expect(try encoder.drain() == nil)
    }

    @Test func parameterSetsTellTheSize() throws {
        let format = try X264Encoder(settings()).format
        #expect(SequenceParameterSet(nal: format.sps)?.size == size)
        #expect(AVCDecoderConfiguration.bytes(for: format) != nil)
    }

    @Test func aKeyFrameOnDemand() throws {
        let encoder = try X264Encoder(settings())
        let pool = PicturePool(size: size)
        let keys = try (0..<10).map { try encoder.encode(try picture($0, pool), forceKeyFrame: $0 == 7)?.isKey }
        #expect(keys == (0..<10).map { $0 == 0 || $0 == 7 })
    }

    @Test func theBitrateChangesWhileRunning() throws {
        let encoder = try X264Encoder(settings(.bitrate(1_500_000)))
        let pool = PicturePool(size: size)
        func bytes(_ range: Range<Int>) throws -> Int {
            try range.reduce(0) { sum, index in
                let picture = try picture(index, pool)
                // Noise, so that there is something to spend bits on.
                var seed = UInt32(truncatingIfNeeded: index &* 7919 &+ 1)
                for byte in 0..<size.height * picture.planes[0].stride {
                    seed = seed &* 1_664_525 &+ 1_013_904_223
                    picture.planes[0].base[byte] = UInt8(truncatingIfNeeded: seed >> 25) &+ 64
                }
                return sum + (try encoder.encode(picture, forceKeyFrame: false)?.data.readableBytes ?? 0)
            }
        }
        _ = try bytes(0..<25)
        let before = try bytes(25..<75)
        try encoder.setBitrate(300_000)
        _ = try bytes(75..<100)
        let after = try bytes(100..<150)
        #expect(after * 2 < before)
    }

    @Test func lookAheadIsDrained() throws {
        var settings = settings()
        settings.tune = "film"
        let encoder = try X264Encoder(settings)
        let pool = PicturePool(size: size, limit: 64)
        var times: [MediaTime] = []
        for index in 0..<30 {
            if let frame = try encoder.encode(try picture(index, pool), forceKeyFrame: false) {
                times.append(frame.time)
            }
        }
        while let frame = try encoder.drain() { times.append(frame.time) }
        #expect(times == (0..<30).map { .milliseconds($0 * 40) })
    }

    @Test func refusesWhatMakesNoSense() {
        var odd = settings()
        odd.size = PictureSize(width: 321, height: 180)
        #expect(throws: CodecError.self) { _ = try X264Encoder(odd) }
        var preset = settings()
        preset.preset = "sloth"
        #expect(throws: CodecError.self) { _ = try X264Encoder(preset) }
        var profile = settings()
        profile.profile = "wide"
        #expect(throws: CodecError.self) { _ = try X264Encoder(profile) }
    }

    @Test func refusesAPictureOfAnotherSize() throws {
        let encoder = try X264Encoder(settings())
        let other = try #require(PicturePool(size: PictureSize(width: 64, height: 64)).take(time: .zero))
        #expect(throws: CodecError.self) { _ = try encoder.encode(other, forceKeyFrame: false) }
    }
}
