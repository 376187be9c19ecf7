import Containers
import Media
import NIOCore
import Testing

@Suite struct FLVTests {
    private let video = VideoFormat(
        sps: [0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x47, 0xFE, 0xC8], pps: [0x68, 0xCE, 0x38, 0x80],
        size: PictureSize(width: 640, height: 480), frameRate: 25, bitrate: 1_000_000)
    private let audio = AudioFormat(rate: 16000, channels: 1, bitrate: 32000)

    private func frame(_ kind: MediaKind, key: Bool = true, _ bytes: [UInt8]) -> EncodedFrame {
        var data = EncodedFrame.makeBuffer(capacity: bytes.count)
        data.writeBytes(bytes)
        return EncodedFrame(kind: kind, isKey: key, time: .zero, data: data)
    }

    private func wire(_ tag: FLVTag, at timestamp: UInt32) -> [UInt8] {
        var buffer = ByteBuffer()
        FLVWriter.write(tag, timestamp: timestamp, to: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test func headerIsTheKnownOne() {
        #expect(
            Array(FLVWriter.header(hasVideo: true, hasAudio: true).readableBytesView)
                == [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0])
    }

    @Test func keyPictureOnTheWire() {
        #expect(
            wire(FLVTag(frame(.video, [0, 0, 0, 1, 0x65])), at: 0x0100_0005) == [
                9, 0, 0, 10, 0, 0, 5, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 0, 21,
            ])
    }

    @Test func interPictureAndSoundOnTheWire() {
        #expect(wire(FLVTag(frame(.video, key: false, [0x41])), at: 1)[11] == 0x27)
        #expect(
            wire(FLVTag(frame(.audio, [0x21])), at: 1) == [8, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 0xAF, 1, 0x21, 0, 0, 0, 14])
    }

    @Test func wrappingCopiesNothing() {
        let made = frame(.video, [UInt8](repeating: 7, count: 1000))
        let before = made.data.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let tag = FLVTag(made)
        // `made` is still held here, so this copy is the price of looking; a frame that is handed over is not copied.
        #expect(tag.bodyLength == 1005)
        var handedOver = frame(.video, [UInt8](repeating: 7, count: 1000))
        let address = handedOver.data.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let moved = FLVTag(take(&handedOver))
        let after = moved.bodyAndTrailer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(after == address - 5)
        #expect(before != 0)
    }

    private func take(_ frame: inout EncodedFrame) -> EncodedFrame {
        defer { frame = EncodedFrame(kind: .video, isKey: false, time: .zero, data: ByteBuffer()) }
        return frame
    }

    @Test func aFrameWithoutHeadroomIsWrappedAllTheSame() {
        let bare = EncodedFrame(kind: .video, isKey: true, time: .zero, data: ByteBuffer(bytes: [1, 2, 3]))
        #expect(Array(FLVTag(bare).body.readableBytesView) == [0x17, 1, 0, 0, 0, 1, 2, 3])
    }

    @Test func sequenceHeaders() throws {
        let avc = try #require(FLVTag.sequenceHeader(video))
        #expect(Array(avc.body.readableBytesView.prefix(6)) == [0x17, 0, 0, 0, 0, 1])
        let aac = try #require(FLVTag.sequenceHeader(audio))
        #expect(Array(aac.body.readableBytesView) == [0xAF, 0, 0x14, 0x08])
        #expect(FLVTag.sequenceHeader(AudioFormat(rate: 1, channels: 1, bitrate: 0)) == nil)
    }

    @Test func metadataSaysWhatIsKnown() throws {
        var reader = FLVReader()
        reader.feed(FLVWriter.header(hasVideo: true, hasAudio: true))
        var buffer = ByteBuffer()
        FLVWriter.write(.metadata(StreamFormat(video: video, audio: audio), encoder: "test"), timestamp: 0, to: &buffer)
        reader.feed(buffer)
        let tag = try #require(try reader.next())
        guard case .script(let name, let value) = FLVPayload(tag) else {
            Issue.record("no script tag")
            return
        }
        #expect(name == "onMetaData")
        #expect(value["width"]?.number == 640)
        #expect(value["audiosamplerate"]?.number == 16000)
        #expect(value["hasAudio"] == .boolean(true))
    }

    /// A stream of every kind of tag, and what must come out of it.
    private func sample() -> (bytes: [UInt8], tags: Int) {
        var buffer = FLVWriter.header(hasVideo: true, hasAudio: true)
        let tags = [
            FLVTag.metadata(StreamFormat(video: video, audio: audio), encoder: "test"), FLVTag.sequenceHeader(video),
            FLVTag.sequenceHeader(audio), FLVTag(frame(.video, [0, 0, 0, 1, 0x65])),
            FLVTag(frame(.audio, [0x21, 0x22])),
        ].compactMap { $0 }
        for (index, tag) in tags.enumerated() { FLVWriter.write(tag, timestamp: UInt32(index) << 24 | 5, to: &buffer) }
        return (Array(buffer.readableBytesView), tags.count)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 4096]) func readsPiecesOfAnySize(piece: Int) throws {
        let (bytes, count) = sample()
        var reader = FLVReader()
        var tags: [FLVReader.Tag] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            reader.feed(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)]))
            while let tag = try reader.next() { tags.append(tag) }
        }
        #expect(tags.count == count)
        #expect(tags.enumerated().allSatisfy { $0.element.timestamp == UInt32($0.offset) << 24 | 5 })
        #expect(reader.hasVideo && reader.hasAudio)
        #expect(reader.bufferedBytes == 0)
        guard case .avc(isKey: true, compositionOffset: 0, let data) = FLVPayload(tags[3]) else {
            Issue.record("no picture")
            return
        }
        #expect(Array(data.readableBytesView) == [0, 0, 0, 1, 0x65])
    }

    @Test func refusesWhatIsNoFLV() {
        func error(_ bytes: [UInt8]) -> FLVReader.ParseError? {
            var reader = FLVReader(maximumBodyLength: 1000)
            reader.feed(ByteBuffer(bytes: bytes))
            do throws(FLVReader.ParseError) {
                while try reader.next() != nil {}
                return nil
            } catch {
                return error
            }
        }
        #expect(error(Array("<html>".utf8)) == .notFLV)
        #expect(error([0x46, 0x4C, 0x56, 2, 5, 0, 0, 0, 9]) == .unsupportedVersion(2))
        #expect(error([0x46, 0x4C, 0x56, 1, 5, 0xFF, 0, 0, 9]) == .badHeaderLength(0xFF00_0009))
        let header: [UInt8] = [0x46, 0x4C, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]
        #expect(error(header + [9, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]) == .tagTooLong(1024))
    }

    @Test func countsWrongTrailersAndSkipsUnknownTags() throws {
        var (bytes, _) = sample()
        bytes[bytes.count - 1] ^= 1
        bytes += [0x0C, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xAA, 0, 0, 0, 12]
        var reader = FLVReader()
        reader.feed(ByteBuffer(bytes: bytes))
        while try reader.next() != nil {}
        #expect(reader.wrongTrailers == 1)
        #expect(reader.skippedTags == 1)
    }
}
