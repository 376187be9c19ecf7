import Media
import Testing

@Suite struct H264Tests {
    private func units(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.withUnsafeBufferPointer { buffer in H264.nalUnits(inAnnexB: buffer).map { Array(bytes[$0]) } }
    }

    @Test func findsUnitsBehindShortAndLongStartCodes() {
        #expect(units([0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3]) == [[0x67, 1, 2], [0x68, 3]])
        #expect(units([0, 0, 1, 0x65, 0, 0, 3, 1]) == [[0x65, 0, 0, 3, 1]])
    }

    @Test func leavesOutTrailingZerosAndEmptyUnits() {
        #expect(units([0, 0, 1, 0x41, 9, 0, 0, 0, 0, 1, 0x41, 8]) == [[0x41, 9], [0x41, 8]])
        #expect(units([0, 0, 1, 0, 0, 1]) == [])
        #expect(units([1, 2, 3]) == [])
    }

    /// Baseline 640x480 out of RFC 6184's kind of examples: profile 66, level 30.
    private static let baseline: [UInt8] = [0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x47, 0xFE, 0xC8]

    @Test func readsASequenceParameterSet() throws {
        let sps = try #require(SequenceParameterSet(nal: Self.baseline))
        #expect(sps.profile == 66)
        #expect(sps.level == 30)
        #expect(sps.size.width == 640)
    }

    @Test func refusesWhatIsNoSequenceParameterSet() {
        #expect(SequenceParameterSet(nal: [0x68, 0x42]) == nil)
        #expect(SequenceParameterSet(nal: []) == nil)
        #expect(SequenceParameterSet(nal: [0x67, 0x64, 0, 31]) == nil)
    }

    @Test func survivesAnyMutationOfASequenceParameterSet() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200_000 {
            var bytes = Self.baseline
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let sps = SequenceParameterSet(nal: bytes.prefix(.random(in: 0...bytes.count, using: &random))) {
                #expect(sps.size.width > 0 && sps.size.height > 0 && sps.size.width <= 16384)
            }
        }
    }

    @Test func decoderConfigurationRoundTrips() throws {
        let format = VideoFormat(
            sps: Self.baseline, pps: [0x68, 0xCE, 0x38, 0x80], size: PictureSize(width: 640, height: 480),
            frameRate: 25, bitrate: 0)
        let record = try #require(AVCDecoderConfiguration.bytes(for: format))
        #expect(Array(record.prefix(6)) == [1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1])
        let sets = try #require(AVCDecoderConfiguration.parameterSets(in: record))
        #expect(sets.sps == format.sps)
        #expect(sets.pps == format.pps)
        for length in 0..<record.count {
            #expect(AVCDecoderConfiguration.parameterSets(in: Array(record.prefix(length))) == nil)
        }
    }
}
