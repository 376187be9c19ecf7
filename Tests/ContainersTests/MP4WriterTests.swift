import Containers
import Media
import NIOCore
import Testing

@Suite struct MP4WriterTests {
    typealias Material = MP4Material

    private func writer(
        _ format: StreamFormat = MP4Material.format, limits: MP4Writer.Limits = .init()
    ) throws -> MP4Writer {
        try MP4Writer(format: format, identity: Material.identity(), limits: limits)
    }

    private func refusal(_ body: () throws(MP4Writer.Refusal) -> Void) -> MP4Writer.Refusal? {
        do throws(MP4Writer.Refusal) {
            try body()
            return nil
        } catch { return error }
    }

    // MARK: Layout

    @Test func growsInFragmentsOfOneGroup() throws {
        var image = MP4Image(try Material.growing(Material.frames(pictures: 25, gop: 10)))
        #expect(
            image.boxes.map(\.type)
                == ["ftyp", "uuid", "free", "moov", "moof", "mdat", "moof", "mdat", "moof", "mdat"])
        let reader = try image.reader()
        #expect(!reader.isFinished)
        #expect(reader.validLength == image.length)
        image.perform(reader.repair())
        #expect(image.boxes.map(\.type) == ["ftyp", "uuid", "mdat", "moov"])
    }

    @Test func closesAsAnOrdinaryFile() throws {
        let image = MP4Image(try Material.actions(Material.frames(pictures: 25, gop: 10)))
        #expect(image.boxes.map(\.type) == ["ftyp", "uuid", "mdat", "moov"])
        #expect(image.boxes.last.map { $0.offset + $0.length } == image.length)
        let reader = try image.reader()
        #expect(reader.isFinished)
        #expect(reader.validLength == image.length)
        #expect(reader.repair().isEmpty)
        #expect(reader.identity == Material.identity())
    }

    @Test func everyFrameComesOutAsItWentIn() throws {
        for soundStart in [MediaTime.milliseconds(7), .milliseconds(-100), .milliseconds(300), nil] {
            let frames = Material.frames(pictures: 60, gop: 25, soundStart: soundStart)
            let format = soundStart == nil ? StreamFormat(video: Material.video) : Material.format
            for actions in [
                try Material.growing(frames, format: format), try Material.actions(frames, format: format),
            ] {
                let image = MP4Image(actions)
                let samples = Array(try image.reader().samples())
                #expect(samples.count == frames.count)
                #expect(zip(samples, frames).allSatisfy { matches($0, $1, in: image) })
            }
        }
    }

    @Test func theLengthIsThatOfTheFile() throws {
        var writer = try writer()
        var image = MP4Image(writer.begin())
        for frame in Material.frames(pictures: 30, gop: 10) {
            image.perform(try writer.append(frame, format: Material.format))
            #expect(image.length == writer.length)
        }
        image.perform(writer.finish())
        #expect(image.length == writer.length)
        #expect(writer.finish().isEmpty)
        #expect(
            refusal { () throws(MP4Writer.Refusal) in
                _ = try writer.append(Material.picture(.seconds(9), isKey: true), format: Material.format)
            } == .finished)
    }

    @Test func mediaIsNotCopied() throws {
        func address(_ buffer: ByteBuffer) -> UInt {
            buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        }
        let frames = Material.frames(pictures: 11, gop: 10)
        var writer = try writer()
        _ = writer.begin()
        var actions: [MP4FileAction] = []
        for frame in frames { actions += try writer.append(frame, format: Material.format) }
        guard case .append(let buffers)? = actions.first else {
            Issue.record("no fragment")
            return
        }
        let given = Set(frames.map { address($0.data) })
        #expect(buffers.dropFirst().count == 10 + 5 || buffers.dropFirst().count == 10 + 6)
        #expect(buffers.dropFirst().allSatisfy { given.contains(address($0)) })
    }

    /// Appended, and the 64-bit size with it; synced; the header; synced.
    @Test func theCloseIsOrdered() throws {
        var writer = try writer()
        let head = writer.begin()
        for frame in Material.frames(pictures: 3, gop: 10) { _ = try writer.append(frame, format: Material.format) }
        let kinds = (head + writer.finish()).map { action in
            switch action {
            case .append: "append"
            case .overwrite(_, let bytes): "overwrite \(bytes.readableBytes)"
            case .truncate: "truncate"
            case .sync: "sync"
            }
        }
        #expect(
            kinds == [
                "append", "sync", "append", "sync", "append", "overwrite 8", "sync", "overwrite 8", "sync",
            ])
    }

    // MARK: Fragments

    @Test func limitsEndAFragment() throws {
        var limits = MP4Writer.Limits()
        limits.span = .milliseconds(400)
        let bySpan = MP4Image(try Material.actions(Material.frames(pictures: 50, gop: 50), limits: limits))
        limits = MP4Writer.Limits()
        limits.bytes = 300
        let byBytes = MP4Image(try Material.actions(Material.frames(pictures: 50, gop: 50), limits: limits))
        limits = MP4Writer.Limits()
        limits.samples = 7
        let bySamples = MP4Image(try Material.actions(Material.frames(pictures: 50, gop: 50), limits: limits))
        for image in [bySpan, byBytes, bySamples] {
            let samples = Array(try image.reader().samples())
            #expect(samples.count(where: { $0.kind == .video }) == 50)
            #expect(samples.count(where: { $0.kind == .video && $0.isKey }) == 1)
        }
        #expect(byBytes.syncs > 7 && bySamples.syncs > 11)
    }

    @Test func anAppendNeverHasMoreBuffersThanOneWriteTakes() throws {
        var writer = try writer()
        _ = writer.begin()
        var largest = 0
        for index in 0..<5000 {
            let actions = try writer.append(
                Material.picture(.microseconds(Int64(index) * 100), isKey: index == 0), format: Material.format)
            for case .append(let buffers) in actions { largest = max(largest, buffers.count) }
        }
        #expect(largest == MP4.maximumFragmentSamples + 1)
        #expect(largest <= MP4.maximumBuffers)
    }

    @Test func heldMediaIsCountedAndBounded() throws {
        var limits = MP4Writer.Limits()
        limits.bytes = 1000
        var writer = try writer(limits: limits)
        _ = writer.begin()
        for index in 0..<100 {
            let frame = Material.picture(.milliseconds(Int64(index)), isKey: index == 0, bytes: 300)
            _ = try writer.append(frame, format: Material.format)
            #expect(writer.heldBytes <= 1000 && writer.heldBytes > 0)
        }
        _ = writer.flush()
        #expect(writer.heldBytes == 0)
        #expect(writer.flush().isEmpty)
    }

    // MARK: Refusals

    @Test func refusesWhatNeedsAnotherFile() throws {
        var writer = try writer()
        _ = writer.begin()
        func refuses(_ frame: EncodedFrame, _ format: StreamFormat = Material.format) -> MP4Writer.Refusal? {
            refusal { () throws(MP4Writer.Refusal) in _ = try writer.append(frame, format: format) }
        }
        #expect(refuses(Material.picture(.zero)) == .startsWithoutKey)
        #expect(refuses(Material.picture(.milliseconds(-1), isKey: true)) == .tooEarly)
        #expect(refuses(Material.sound(.milliseconds(-1001))) == .tooEarly)
        #expect(refuses(Material.sound(.milliseconds(-1000))) == nil)
        #expect(refuses(Material.picture(.zero, isKey: true, bytes: MP4.maximumSampleLength + 1)) == .frameTooLong)
        #expect(refuses(Material.picture(.zero, isKey: true)) == nil)
        #expect(refuses(Material.picture(.seconds(3601))) == .gapTooLong)
        #expect(refuses(Material.picture(.milliseconds(-1001))) == .tooEarly)

        let other = VideoFormat(
            sps: Material.video.sps, pps: [0x68, 1], size: Material.video.size, frameRate: 25, bitrate: 0)
        let next = Material.picture(.milliseconds(40), isKey: true)
        #expect(refuses(next, StreamFormat(video: other, audio: Material.audio)) == .formatChanged)
        let stereo = AudioFormat(rate: 16000, channels: 2, bitrate: 32000)
        #expect(refuses(next, StreamFormat(video: Material.video, audio: stereo)) == .formatChanged)
        #expect(refuses(next, StreamFormat(video: Material.video)) == .formatChanged)
        // Rates are hints.
        let hinted = VideoFormat(
            sps: Material.video.sps, pps: Material.video.pps, size: Material.video.size, frameRate: 5, bitrate: 1)
        #expect(refuses(next, StreamFormat(video: hinted, audio: Material.audio)) == nil)
    }

    @Test func refusesFormatsItCannotWrite() throws {
        func refuses(_ format: StreamFormat, _ identity: SegmentIdentity = Material.identity()) -> MP4Writer.Refusal? {
            refusal { () throws(MP4Writer.Refusal) in _ = try MP4Writer(format: format, identity: identity) }
        }
        #expect(refuses(StreamFormat()) == .unusableFormat)
        #expect(refuses(StreamFormat(audio: AudioFormat(rate: 1, channels: 1, bitrate: 0))) == .unusableFormat)
        let broken = VideoFormat(sps: [0x67], pps: [], size: Material.video.size, frameRate: 25, bitrate: 0)
        #expect(refuses(StreamFormat(video: broken)) == .unusableFormat)
        var identity = Material.identity()
        identity.device = String(repeating: "x", count: 65)
        #expect(refuses(Material.format, identity) == .unusableFormat)
        identity.device = String(repeating: "x", count: 64)
        identity.channel = 65536
        #expect(refuses(Material.format, identity) == .unusableFormat)
        identity.channel = 65535
        #expect(refuses(Material.format, identity) == nil)

        var soundOnly = try writer(StreamFormat(audio: Material.audio))
        #expect(
            refusal { () throws(MP4Writer.Refusal) in
                _ = try soundOnly.append(
                    Material.picture(.zero, isKey: true), format: StreamFormat(audio: Material.audio))
            } == .noSuchTrack)
    }

    @Test func aFullFileIsRefusedAndStillRead() throws {
        var writer = try writer(StreamFormat(video: Material.video))
        let format = StreamFormat(video: Material.video)
        let data = ByteBuffer(repeating: 1, count: 3)
        var image = MP4Image(writer.begin())
        for index in 0..<MP4.maximumSamples {
            let frame = Material.frame(.video, .milliseconds(Int64(index) * 20), isKey: index == 0, data)
            image.perform(try writer.append(frame, format: format))
        }
        #expect(
            refusal { () throws(MP4Writer.Refusal) in
                _ = try writer.append(Material.picture(.seconds(100_000), isKey: true), format: format)
            } == .full)
        image.perform(writer.finish())
        let reader = try image.reader()
        #expect(reader.sampleCount(.video) == MP4.maximumSamples)
        #expect(reader.tableBytes < 3 * MP4.maximumSamples)
    }

    // MARK: Time

    /// 29.97 pictures a second and 44.1 kHz for an hour: no sample is ever more than a tick away from its time.
    @Test func timesNeverDrift() throws {
        let audio = AudioFormat(rate: 44100, channels: 2, bitrate: 64000)
        let format = StreamFormat(video: Material.video, audio: audio)
        let data = ByteBuffer(repeating: 1, count: 4)
        var frames = (0..<107_892).map {
            Material.frame(.video, .samples(Int64($0) * 1001, rate: 30000), isKey: $0 % 60 == 0, data)
        }
        frames += (0..<155_039).map {
            Material.frame(.audio, .samples(Int64($0) * 1024, rate: 44100), isKey: true, data)
        }
        frames.sort { $0.time < $1.time }
        let image = MP4Image(try Material.actions(frames, format: format))
        let reader = try image.reader()
        var worst: [MediaKind: Int64] = [:]
        for kind in [MediaKind.video, .audio] {
            let given = frames.lazy.filter { $0.kind == kind }
            let read = reader.samples().lazy.filter { $0.kind == kind }
            for (frame, sample) in zip(given, read) {
                let error = abs((sample.time - (frame.time - Material.start)).nanoseconds)
                worst[kind] = max(worst[kind] ?? 0, error)
            }
        }
        // Half a tick, and the nanosecond that a tick's time is rounded down by.
        #expect(worst[.video] ?? .max <= 1_000_000_000 / 90_000 / 2 + 2)
        #expect(worst[.audio] ?? .max <= 2)
        #expect(reader.format.video?.frameRate == 29.97)
        // Steady sound takes no durations at all.
        #expect(Double(reader.tableBytes) / Double(frames.count) < 6)
    }

    @Test func aGapIsALongerSample() throws {
        var frames = Material.frames(pictures: 25, gop: 25)
        frames += (0..<25).map { Material.picture(.milliseconds(11_000 + Int64($0) * 40), isKey: $0 == 0) }
        for actions in [try Material.growing(frames), try Material.actions(frames)] {
            let reader = try MP4Image(actions).reader()
            let pictures = reader.samples().filter { $0.kind == .video }
            #expect(pictures[24].duration == .milliseconds(11_000 - 960))
            #expect(pictures[25].time == .seconds(11))
            #expect(reader.duration == .seconds(12))
        }
    }

    @Test func theEndIsThatOfTheNextFile() throws {
        let frames = Material.frames(pictures: 25, gop: 25, soundStart: nil)
        #expect(try MP4Image(Material.actions(frames)).reader().duration == .seconds(1))
        #expect(
            try MP4Image(Material.actions(frames, end: .milliseconds(1234))).reader().duration == .milliseconds(1234))
        // An end that makes no sense says nothing.
        #expect(try MP4Image(Material.actions(frames, end: .milliseconds(3))).reader().duration == .seconds(1))
        var writer = try writer(StreamFormat(video: Material.video))
        _ = writer.begin()
        for frame in frames { _ = try writer.append(frame, format: StreamFormat(video: Material.video)) }
        #expect(writer.duration == .seconds(1))
    }

    @Test func timeThatDoesNotGetOnIsHelpedByATick() throws {
        let frames = [0, 40, 40, 39, 80].map { Material.picture(.milliseconds($0), isKey: $0 == 0) }
        let samples = Array(try MP4Image(Material.actions(frames)).reader().samples())
        #expect(samples.count == 5)
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.time < $1.time })
        #expect(samples[4].time == .milliseconds(80))
    }

    // MARK: Size

    /// Five minutes at 800 kbit/s, 25 pictures a second with the jitter of a camera, and AAC at 16 kHz.
    @Test func overheadAndMemoryAreSmall() throws {
        var random = SystemRandomNumberGenerator()
        var frames: [EncodedFrame] = []
        var media = 0
        for index in 0..<7500 {
            let isKey = index % 50 == 0
            let bytes = (isKey ? 24_000 : 3_575) + Int.random(in: -200...200, using: &random)
            let jitter = Int64.random(in: 0...2000, using: &random)
            frames.append(
                Material.picture(.microseconds(Int64(index) * 40_000 + jitter), isKey: isKey, bytes: bytes))
        }
        for index in 0..<4687 {
            frames.append(
                Material.sound(
                    .samples(Int64(index) * 1024, rate: 16000), bytes: 256 + Int.random(in: -20...20, using: &random)))
        }
        frames.sort { $0.time < $1.time }
        media = frames.reduce(0) { $0 + $1.data.readableBytes }
        let clock = ContinuousClock()
        var writer = try writer()
        var actions = writer.begin()
        let writing = try clock.measure {
            for frame in frames { actions += try writer.append(frame, format: Material.format) }
        }
        let memory = writer.tableBytes
        actions += writer.flush()
        let growing = MP4Image(actions)
        let closing = clock.measure { actions += writer.finish() }
        let image = MP4Image(actions)
        let overhead = Double(image.length) / Double(media)
        var reader = try growing.reader()
        let scanning = try clock.measure { reader = try growing.reader() }
        let opening = try clock.measure { reader = try image.reader() }
        print(
            "MP4, \(frames.count) samples: \(overhead) bytes a byte of media; tables of \(memory) bytes while writing,",
            "\(reader.tableBytes) read; written in \(writing), closed in \(closing), opened in \(opening),",
            "\(scanning) while growing")
        #expect(overhead < 1.01)
        #expect(memory < 10 * frames.count)
        #expect(reader.tableBytes < 10 * frames.count)
    }

    /// Past four gigabytes: of eight megabytes that are shared by all pictures.
    @Test func offsetsGrowTo64Bits() throws {
        let data = ByteBuffer(repeating: 7, count: MP4.maximumSampleLength)
        let frames = (0..<514).map {
            Material.frame(.video, .milliseconds(Int64($0) * 40), isKey: true, data)
        }
        let format = StreamFormat(video: Material.video)
        let image = MP4Image(try Material.actions(frames, format: format))
        #expect(image.length > 1 << 32)
        #expect(image.boxes.map(\.type) == ["ftyp", "uuid", "mdat", "moov"])
        let reader = try image.reader()
        let samples = Array(reader.samples())
        #expect(samples.count == 514)
        #expect(samples.last.map { $0.offset > Int64(UInt32.max) } == true)
        let last = try #require(samples.last)
        #expect(image.read(last.offset, 16) == ByteBuffer(repeating: 7, count: 16))
    }

    /// After 2040 seconds since 1904 need more than 32 bits.
    @Test func theTimeMayBeFarAhead() throws {
        var identity = Material.identity()
        identity.utcStart = 4_102_444_800_000
        var writer = try MP4Writer(format: Material.format, identity: identity)
        var image = MP4Image(writer.begin())
        for frame in Material.frames(pictures: 3, gop: 3) {
            image.perform(try writer.append(frame, format: Material.format))
        }
        image.perform(writer.finish())
        let reader = try image.reader()
        #expect(reader.isFinished)
        #expect(reader.identity == identity)
        #expect(reader.sampleCount(.video) == 3)
    }
}
