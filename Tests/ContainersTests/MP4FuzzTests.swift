import Containers
import Media
import NIOCore
import TestSupport
import Testing

/// A million mutated files: each is read or refused, never beyond its end, and what is read can be repaired.
@Suite struct MP4FuzzTests {
    private static let rounds = FuzzRounds.count

    private struct Outcome {
        var read = 0
        var finished = 0
        var refused = 0
        var wrong: [Int] = []
    }

    @Test func reader() throws {
        let frames = MP4Material.frames(pictures: 6, gop: 2, soundStart: .milliseconds(-7), bytes: 1)
        let growing = MP4Image(try MP4Material.growing(frames)).bytes
        let closed = MP4Image(try MP4Material.actions(frames)).bytes
        let sound = StreamFormat(audio: MP4Material.audio)
        let soundOnly = MP4Image(
            try MP4Material.actions((0..<6).map { MP4Material.sound(.milliseconds($0 * 64)) }, format: sound)
        ).bytes
        let seeds = [growing, closed, soundOnly]
        var random = SplitMix64(state: 5)
        var outcome = Outcome()
        for round in 0..<Self.rounds {
            var bytes = seeds[round % seeds.count]
            mutate(&bytes, using: &random)
            Self.check(bytes, round: round, &outcome)
        }
        #expect(outcome.wrong.isEmpty)
        #expect(outcome.read > Self.rounds / 4)
        #expect(outcome.finished > Self.rounds / 20)
        #expect(outcome.refused > Self.rounds / 100)
    }

    private static func check(_ bytes: [UInt8], round: Int, _ outcome: inout Outcome) {
        var isWithinFile = true
        let buffer = ByteBuffer(bytes: bytes)
        func read(_ offset: Int64, _ count: Int) -> ByteBuffer? {
            if offset < 0 || count < 0 || offset + Int64(count) > Int64(bytes.count) { isWithinFile = false }
            return buffer.getSlice(at: Int(offset), length: count)
        }
        do throws(MP4Reader.Failure) {
            let reader = try MP4Reader(
                length: Int64(bytes.count), check: round % 2 == 0 ? .none : .lastFragment, read: read)
            outcome.read += 1
            outcome.finished += reader.isFinished ? 1 : 0
            if !isSound(reader, length: Int64(bytes.count)) { outcome.wrong.append(round) }
            if round % 16 == 0, !isRepairable(reader, bytes) { outcome.wrong.append(round) }
        } catch {
            outcome.refused += 1
        }
        if !isWithinFile { outcome.wrong.append(round) }
    }

    /// All samples are in the file and in order.
    private static func isSound(_ reader: MP4Reader, length: Int64) -> Bool {
        var last = MediaTime(nanoseconds: .min)
        var count = 0
        for sample in reader.samples() {
            guard sample.offset >= 0, sample.offset + Int64(sample.size) <= length, sample.time >= last,
                sample.duration >= .zero
            else { return false }
            last = sample.time
            count += 1
        }
        let key = reader.key(atOrBefore: .milliseconds(100))
        return count == reader.sampleCount(.video) + reader.sampleCount(.audio) && (key?.isKey ?? true)
            && reader.validLength <= length && reader.duration <= MP4.maximumDuration + .seconds(60)
    }

    private static func isRepairable(_ reader: MP4Reader, _ bytes: [UInt8]) -> Bool {
        var image = MP4Image(bytes)
        image.perform(reader.repair())
        guard image.length == reader.repairedLength, let again = try? image.reader() else { return false }
        return again.isFinished && again.sampleCount(.video) == reader.sampleCount(.video)
            && again.sampleCount(.audio) == reader.sampleCount(.audio)
    }
}
