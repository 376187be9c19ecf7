import Containers
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct MP4ReaderTests {
    typealias Material = MP4Material

    private func failure(_ image: MP4Image) -> MP4Reader.Failure? {
        do throws(MP4Reader.Failure) {
            _ = try image.reader()
            return nil
        } catch { return error }
    }

    // MARK: Cuts

    /// A file as it stood after each action, with the samples that were whole by then.
    private func growth(_ actions: [MP4FileAction]) throws -> [(image: MP4Image, samples: [MP4Sample])] {
        var image = MP4Image()
        var states: [(MP4Image, [MP4Sample])] = []
        for action in actions {
            image.perform([action])
            guard case .append = action else { continue }
            states.append((image, Array(try image.reader().samples())))
        }
        return states
    }

    /// Every byte at which a growing file can be cut off: all whole fragments are read, and nothing else; and the repaired
    /// file has the same samples in the same places.
    @Test func everyCutReadsUpToTheLastWholeFragment() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        let states = try growth(Material.growing(frames))
        #expect(states.map(\.samples.count) == [0, 5, 10, 14])
        let whole = try #require(states.last).image
        let bytes = whole.bytes
        let headLength = Int(states[0].image.length)
        for cut in 0...bytes.count {
            let image = MP4Image(Array(bytes[..<cut]))
            guard cut >= headLength else {
                #expect(failure(image) == .noMovie || failure(image) == .notMP4)
                continue
            }
            let expected = try #require(states.last { $0.image.length <= cut })
            for check in [MP4Reader.Check.none, .lastFragment] {
                let reader = try image.reader(check)
                guard reader.validLength == expected.image.length, Array(reader.samples()) == expected.samples,
                    !reader.isFinished, reader.identity == Material.identity()
                else {
                    Issue.record("cut at \(cut)")
                    return
                }
                try expectRepaired(image, reader, expected.samples)
            }
        }
    }

    private func expectRepaired(_ image: MP4Image, _ reader: MP4Reader, _ samples: [MP4Sample]) throws {
        var repaired = image
        repaired.perform(reader.repair())
        let again = try repaired.reader()
        #expect(again.isFinished && again.validLength == repaired.length && again.repair().isEmpty)
        #expect(repaired.length == reader.repairedLength)
        #expect(Array(again.samples()) == samples)
        #expect(again.duration == reader.duration)
    }

    /// While it is closed: cut in the movie box, with and without the size that is written ahead of the header, and once
    /// it is closed: what a copy that broke off has lost is only what it lacks.
    @Test func everyCutOfAClosingFileReads() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        let actions = try Material.actions(frames)
        let growing = try #require(try growth(Material.growing(frames)).last)
        var image = MP4Image()
        for action in actions {
            image.perform([action])
            guard image.length > growing.image.length else { continue }
            let bytes = image.bytes
            for cut in Int(growing.image.length)...bytes.count {
                let cutImage = MP4Image(Array(bytes[..<cut]))
                let reader = try cutImage.reader()
                guard Array(reader.samples()).count == frames.count else {
                    Issue.record("cut at \(cut)")
                    return
                }
                if !reader.isFinished { #expect(reader.validLength == growing.image.length) }
            }
        }
        let bytes = image.bytes
        let headLength = Int(try #require(try growth(actions).first).image.length)
        var counts: Set<Int> = []
        for cut in headLength..<Int(growing.image.length) {
            let cutImage = MP4Image(Array(bytes[..<cut]))
            let reader = try cutImage.reader()
            counts.insert(reader.samples().reduce(0) { count, _ in count + 1 })
            try expectRepaired(cutImage, reader, Array(reader.samples()))
        }
        #expect(counts == [0, 5, 10])
    }

    /// The last write of the close, of which any of its eight bytes may arrive and any may not.
    @Test func aTornHeaderBreaksNothing() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        var actions = try Material.actions(frames)
        _ = actions.popLast()
        guard case .overwrite(let offset, let header)? = actions.popLast() else {
            Issue.record("no header at the end")
            return
        }
        let before = MP4Image(actions)
        var finished = 0
        for mask in 0..<256 {
            var image = before
            for byte in 0..<8 where mask >> byte & 1 == 1 {
                guard let slice = header.getSlice(at: header.readerIndex + byte, length: 1) else { continue }
                image.overwrite(offset + Int64(byte), slice)
            }
            let reader = try image.reader()
            #expect(Array(reader.samples()).count == frames.count)
            finished += reader.isFinished ? 1 : 0
            image.perform(reader.repair())
            #expect(try image.reader().isFinished)
        }
        #expect(finished == 128)
    }

    /// What arrived of the last write is rubbish; the placeholder is known by its place.
    @Test func rubbishInTheHeaderBreaksNothing() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        let actions = try Material.actions(frames)
        guard case .overwrite(let offset, _)? = actions.dropLast().last else {
            Issue.record("no header at the end")
            return
        }
        let closed = MP4Image(actions)
        var random = SplitMix64(state: 20_261_121)
        for _ in 0..<1000 {
            var image = closed
            image.overwrite(offset, ByteBuffer(integer: random.next()))
            let reader = try image.reader(.lastFragment)
            #expect(Array(reader.samples()).count == frames.count && !reader.isFinished)
            image.perform(reader.repair())
            #expect(image.bytes == closed.bytes)
        }
    }

    /// The size that is written ahead may also arrive without the movie box.
    @Test func aSizeWithoutItsMovieBoxBreaksNothing() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        let image = MP4Image(try Material.actions(frames))
        let closed = try #require(image.boxes.last)
        for lost in [0, 1, 8, 100, Int(closed.length)] {
            var bytes = image.bytes
            for index in (bytes.count - lost)..<bytes.count { bytes[index] = 0 }
            var damaged = MP4Image(bytes)
            var reader = try damaged.reader()
            #expect(Array(reader.samples()).count == frames.count)
            damaged.perform(reader.repair())
            reader = try damaged.reader()
            #expect(reader.isFinished)
            #expect(Array(reader.samples()).count == frames.count)
        }
    }

    // MARK: What a power cut leaves

    /// The file is as long as it was, but its last data never arrived, or arrived as something else.
    @Test func theCheckSumFindsWhatDidNotArrive() throws {
        let frames = Material.frames(pictures: 9, gop: 3)
        let states = try growth(Material.growing(frames))
        let before = try #require(states.dropLast().last)
        let whole = try #require(states.last)
        let bytes = whole.image.bytes
        for place in Int(before.image.length)..<bytes.count {
            var damaged = bytes
            damaged[place] ^= 0x10
            let reader = try MP4Image(damaged).reader(.lastFragment)
            guard Array(reader.samples()) == before.samples, reader.validLength == before.image.length else {
                Issue.record("a wrong byte at \(place) went unseen")
                return
            }
        }
        // All of the last two fragments is zeros.
        var damaged = bytes
        let start = Int(states[1].image.length)
        for index in (start + 300)..<damaged.count { damaged[index] = 0 }
        #expect(Array(try MP4Image(damaged).reader(.lastFragment).samples()) == states[1].samples)
        // Without the check the media is believed.
        #expect(Array(try MP4Image(damaged).reader().samples()).count >= states[1].samples.count)
    }

    @Test func theCheckReadsNoMoreThanItMust() throws {
        let frames = Material.frames(pictures: 90, gop: 3, bytes: 5000)
        let image = MP4Image(try Material.growing(frames))
        var counted = 0
        let reader = try MP4Reader(length: image.length, check: .lastFragment) { offset, count in
            counted += count
            return image.read(offset, count)
        }
        #expect(reader.validLength == image.length)
        #expect(counted < 30 * 4096 + 20_000)
    }

    // MARK: Places

    @Test func findsTheKeyBefore() throws {
        let frames = Material.frames(pictures: 100, gop: 25, soundStart: .milliseconds(-20))
        for actions in [try Material.growing(frames), try Material.actions(frames)] {
            let reader = try MP4Image(actions).reader()
            let places: [(Int64, Int64)] = [
                (-5000, 0), (0, 0), (999, 0), (1000, 1000), (1001, 1000), (3960, 3000), (99_999, 3000),
            ]
            for (time, key) in places {
                let found = try #require(reader.key(atOrBefore: .milliseconds(time)))
                #expect(found.time == .milliseconds(key) && found.isKey && found.kind == .video)
                let samples = Array(reader.samples(fromKeyAtOrBefore: .milliseconds(time)))
                #expect(samples.first == found)
                #expect(samples.allSatisfy { $0.time >= found.time })
                #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.time <= $1.time })
                let expected = frames.count { $0.time >= MP4Material.start + found.time }
                #expect(samples.count == expected)
            }
        }
    }

    /// Groups that are longer than a fragment may be.
    @Test func findsTheKeyFragmentsAgo() throws {
        var limits = MP4Writer.Limits()
        limits.span = .milliseconds(200)
        let frames = Material.frames(pictures: 100, gop: 50)
        let reader = try MP4Image(Material.actions(frames, limits: limits)).reader()
        #expect(reader.key(atOrBefore: .milliseconds(1999))?.time == .zero)
        #expect(reader.key(atOrBefore: .milliseconds(2000))?.time == .seconds(2))
        #expect(reader.key(atOrBefore: .milliseconds(3999))?.time == .seconds(2))
    }

    @Test func soundAloneIsItsOwnKey() throws {
        let format = StreamFormat(audio: Material.audio)
        let frames = (0..<200).map { Material.sound(.samples($0 * 1024, rate: 16000)) }
        let image = MP4Image(try Material.actions(frames, format: format))
        let reader = try image.reader()
        #expect(reader.format == format)
        #expect(reader.sampleCount(.audio) == 200 && reader.sampleCount(.video) == 0)
        #expect(reader.key(atOrBefore: .seconds(1))?.time == .samples(15 * 1024, rate: 16000))
        #expect(image.syncs > 4)
    }

    @Test func formatsComeBack() throws {
        let frames = Material.frames(pictures: 50, gop: 25)
        for actions in [try Material.growing(frames), try Material.actions(frames)] {
            let format = try MP4Image(actions).reader().format
            #expect(format.audio == Material.audio)
            #expect(format.video?.sps == Material.video.sps && format.video?.pps == Material.video.pps)
            #expect(format.video?.size == Material.video.size && format.video?.frameRate == 25)
        }
        for rate in [8000, 44100, 48000, 96000] {
            let format = StreamFormat(audio: AudioFormat(rate: rate, channels: 2, bitrate: 64000))
            let image = MP4Image(try Material.actions([Material.sound(.zero)], format: format))
            #expect(try image.reader().format == format)
        }
    }

    @Test func aFileOfNothingIsRead() throws {
        for actions in [try Material.growing([]), try Material.growing([Material.picture(.zero, isKey: true)])] {
            let image = MP4Image(actions)
            let reader = try image.reader(.lastFragment)
            #expect(reader.validLength == image.length)
            #expect(reader.key(atOrBefore: .zero)?.size ?? 30 == 30)
        }
        // A track without a sample is not in the closed file.
        let reader = try MP4Image(Material.actions([Material.picture(.zero, isKey: true)])).reader()
        #expect(reader.format.audio == nil && reader.sampleCount(.video) == 1)
        #expect(reader.duration == .milliseconds(40))
    }

    // MARK: Hostile and broken files

    @Test func refusesWhatIsNoMP4() {
        #expect(failure(MP4Image()) == .notMP4)
        #expect(failure(MP4Image(Array("GIF89a, and so on, and on".utf8))) == .notMP4)
        #expect(failure(MP4Image([UInt8](repeating: 0, count: 1000))) == .notMP4)
        #expect(failure(MP4Image([0, 0, 0, 1] + Array("ftyp".utf8))) == .notMP4)
    }

    @Test func whatCannotBeReadIsNotTakenForAbsent() throws {
        let whole = MP4Image(try Material.actions(Material.frames(pictures: 9, gop: 3)))
        var reads = 0
        _ = try MP4Reader(length: whole.length) { offset, count in
            reads += 1
            return whole.read(offset, count)
        }
        #expect(reads < 10)
        for broken in 0..<reads {
            var index = 0
            do throws(MP4Reader.Failure) {
                _ = try MP4Reader(length: whole.length) { offset, count in
                    defer { index += 1 }
                    return index == broken ? nil : whole.read(offset, count)
                }
                Issue.record("read without read \(broken)")
            } catch {
                guard case .unreadable = error else {
                    Issue.record("\(error) for read \(broken)")
                    continue
                }
            }
        }
    }

    /// The first 32-bit field behind a box's type in the movie box at the end, changed.
    private func changed(_ image: MP4Image, _ box: String, at field: Int, to value: UInt32) throws -> MP4Image {
        let movie = try #require(image.boxes.last)
        var bytes = image.bytes
        let pattern = Array(box.utf8)
        let place = try #require((Int(movie.offset)..<bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == pattern })
        for index in 0..<4 { bytes[place + field + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index)) }
        return MP4Image(bytes)
    }

    /// The number of samples, their common size, ticks a second, samples of the first chunk, that chunk's place.
    private let damages: [(box: String, field: Int, value: UInt32, failure: MP4Reader.Failure)] = [
        ("stsz", 12, 0xFFFF_FFFF, .tooLarge("samples")), ("stsz", 8, 0x7FFF_FFFF, .tooLarge("a sample")),
        ("mdhd", 16, 0xFFFF_FFFF, .unsupported("4294967295 ticks a second")),
        ("stsc", 16, 0, .malformed("a chunk of no samples")),
        ("stco", 12, 0xFFFF_FFFF, .malformed("a sample outside the file")),
        ("stts", 12, 0, .malformed("a run of no samples")),
        ("avcC", 4, 0, .malformed("parameter sets that cannot be read")),
    ]

    /// Where the movie box at the end makes no sense, the fragments are still there.
    @Test func aDamagedEndIsReadFromTheFragments() throws {
        let image = MP4Image(try Material.actions(Material.frames(pictures: 9, gop: 3)))
        for damage in damages {
            var damaged = try changed(image, damage.box, at: damage.field, to: damage.value)
            let reader = try damaged.reader()
            #expect(!reader.isFinished && reader.sampleCount(.video) == 9 && reader.sampleCount(.audio) == 5)
            damaged.perform(reader.repair())
            let isAsBefore = damaged.bytes == image.bytes
            #expect(isAsBefore)
        }
    }

    @Test func theLimitsHold() throws {
        let whole = MP4Image(try Material.actions(Material.frames(pictures: 9, gop: 3)))
        // Without the movie box in front of the fragments there is only the one at the end.
        var bytes = whole.bytes
        let hidden = try #require(whole.boxes.first { $0.type == "mdat" }).offset + 16
        for (index, byte) in "skip".utf8.enumerated() { bytes[Int(hidden) + 4 + index] = byte }
        let image = MP4Image(bytes)
        #expect(try image.reader().sampleCount(.video) == 9)
        for damage in damages {
            #expect(failure(try changed(image, damage.box, at: damage.field, to: damage.value)) == damage.failure)
        }
    }
}
