import Media
import NIOCore

/// A movie fragment: what its `moof` says of the `mdat` behind it (ISO/IEC 14496-12, 8.8).
///
/// The media lies track by track, so that each track has one run and one chunk. Behind the runs stands a check sum of
/// the whole fragment: a file system may come back from a power cut with a file as long as it was and the last data
/// missing in it.
struct MP4Fragment: Sendable, Hashable {
    struct Sample: Sendable, Hashable {
        var size: UInt32
        /// In ticks.
        var duration: UInt32
        var isKey: Bool
    }

    struct Run: Sendable, Hashable {
        var trackID: UInt32
        /// Decode time of the first sample, in ticks.
        var time: Int64
        /// From the beginning of the `moof`.
        var dataOffset: Int
        var samples: [Sample]

        var dataLength: Int { samples.reduce(0) { $0 + Int($1.size) } }
    }

    /// What the initial movie box says once for all samples (trex, 8.8.3).
    struct Defaults: Sendable, Hashable {
        var duration: UInt32
        var areKeys: Bool
    }

    var sequence: UInt32
    var runs: [Run]

    /// Of the whole `moof`; 1000 samples of eight bytes and their headers stay far below.
    static let maximumLength = 1 << 16
    /// Header of the `mdat` behind it.
    static let dataHeaderLength = 8
    static let checkType = UniqueID(high: 0x4E0F_3D9A_82B7_4C15, low: 0x9C36_E1F8_5A70_D24B)

    /// Sample flags (8.8.3.1): a picture that depends on no other, and one that does and is no sync sample.
    static let keyFlags: UInt32 = 0x0200_0000
    static let otherFlags: UInt32 = 0x0101_0000

    fileprivate enum RunFlags {
        static let dataOffset: UInt32 = 0x1
        static let firstSampleFlags: UInt32 = 0x4
        static let duration: UInt32 = 0x100
        static let size: UInt32 = 0x200
        static let flags: UInt32 = 0x400
        static let compositionOffset: UInt32 = 0x800
    }
    fileprivate enum HeaderFlags {
        static let baseDataOffset: UInt32 = 0x1
        static let sampleDescription: UInt32 = 0x2
        static let duration: UInt32 = 0x8
        static let size: UInt32 = 0x10
        static let flags: UInt32 = 0x20
        static let isEmpty: UInt32 = 0x1_0000
        static let baseIsMoof: UInt32 = 0x2_0000
    }
}

// MARK: Writing

extension MP4Fragment {
    /// The `moof` and the header of the `mdat`. The runs' data offsets are set, their order in the file being that of
    /// `runs`; `media` is that data, for the check sum.
    mutating func write(tracks: [MP4Track], media: [ByteBuffer]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(256 + 8 * runs.reduce(0) { $0 + $1.samples.count })
        var offsetPlaces: [Int] = []
        buffer.writeBox("moof") { buffer in
            buffer.writeFullBox("mfhd") { $0.writeInteger(sequence) }
            for run in runs {
                let defaults = tracks.first { MP4.trackID($0.kind) == run.trackID }?.fragmentDefaults
                buffer.writeBox("traf") { offsetPlaces.append(Self.write(run, defaults: defaults, to: &$0)) }
            }
            buffer.writeBox(Self.checkType) { $0.writeInteger(UInt32(0)) }
        }
        let length = buffer.readableBytes
        var offset = length + Self.dataHeaderLength
        for (index, place) in offsetPlaces.enumerated() {
            runs[index].dataOffset = offset
            buffer.setInteger(UInt32(offset), at: place)
            offset += runs[index].dataLength
        }
        buffer.writeMultipleIntegers(UInt32(offset - length), BoxType("mdat").code)
        var check = CRC32C()
        check.update(buffer, from: 0, to: length - 4)
        check.update(buffer, from: length, to: length + Self.dataHeaderLength)
        for piece in media { check.update(piece, from: 0, to: piece.readableBytes) }
        buffer.setInteger(check.value, at: length - 4)
        return buffer
    }

    /// Returns where the data offset stands.
    private static func write(_ run: Run, defaults: Defaults?, to buffer: inout ByteBuffer) -> Int {
        let durations = run.samples.map(\.duration)
        let common = durations.allSatisfy { $0 == durations.first } ? durations.first : nil
        let isUsual = common != nil && common == defaults?.duration
        buffer.writeFullBox(
            "tfhd", flags: HeaderFlags.baseIsMoof | (common != nil && !isUsual ? HeaderFlags.duration : 0)
        ) {
            $0.writeInteger(run.trackID)
            if let common, !isUsual { $0.writeInteger(common) }
        }
        let version: UInt8 = run.time > UInt32.max ? 1 : 0
        buffer.writeFullBox("tfdt", version: version) { $0.writeTime(run.time, version: version) }

        // Only the first sample of a run may be of another sort than the track's usual one.
        let isFirstUnusual = run.samples.first.map { $0.isKey != defaults?.areKeys } ?? false
        var flags = RunFlags.dataOffset | RunFlags.size
        if isFirstUnusual { flags |= RunFlags.firstSampleFlags }
        if common == nil { flags |= RunFlags.duration }
        var place = 0
        buffer.writeFullBox("trun", flags: flags) {
            $0.writeInteger(UInt32(run.samples.count))
            place = $0.writerIndex
            $0.writeInteger(UInt32(0))
            if isFirstUnusual { $0.writeInteger(run.samples.first?.isKey == true ? keyFlags : otherFlags) }
            for sample in run.samples {
                if common == nil { $0.writeInteger(sample.duration) }
                $0.writeInteger(sample.size)
            }
        }
        return place
    }
}

// MARK: Reading

extension MP4Fragment {
    /// Reads what is in a `moof`, and the check sum of the fragment where there is one.
    static func read(
        _ body: ByteBuffer, defaults: [UInt32: Defaults]
    ) throws(MP4Reader.Failure) -> (fragment: MP4Fragment, check: UInt32?) {
        let boxes = try body.children()
        var header = try boxes.required("mfhd", "mfhd")
        _ = try header.takeFullBoxHeader()
        var fragment = MP4Fragment(sequence: try header.take(), runs: [])
        var left = MP4.maximumFragmentSamples
        for box in boxes where box.type == "traf" {
            let run = try readRun(box.body.children(), defaults: defaults, maximumSamples: left)
            guard !fragment.runs.contains(where: { $0.trackID == run.trackID }) else {
                throw .unsupported("two runs of one track in a fragment")
            }
            left -= run.samples.count
            fragment.runs.append(run)
        }
        return (fragment, checkSum(in: boxes))
    }

    private static func checkSum(in boxes: [Box]) -> UInt32? {
        guard var body = boxes.last(where: { $0.type == "uuid" })?.body,
            let (high, low, sum) = body.readMultipleIntegers(as: (UInt64, UInt64, UInt32).self),
            UniqueID(high: high, low: low) == checkType
        else { return nil }
        return sum
    }

    private static func readRun(
        _ boxes: [Box], defaults: [UInt32: Defaults], maximumSamples: Int
    ) throws(MP4Reader.Failure) -> Run {
        var header = try boxes.required("tfhd", "tfhd")
        let flags = try header.takeFullBoxHeader().flags
        guard flags & HeaderFlags.baseIsMoof != 0, flags & HeaderFlags.baseDataOffset == 0 else {
            throw .unsupported("data offsets that do not count from the fragment")
        }
        let trackID: UInt32 = try header.take()
        guard var usual = defaults[trackID] else { throw .malformed("a fragment of no track") }
        if flags & HeaderFlags.sampleDescription != 0 { try header.skip(4) }
        if flags & HeaderFlags.duration != 0 { usual.duration = try header.take() }
        let usualSize: UInt32? = flags & HeaderFlags.size != 0 ? try header.take() : nil
        if flags & HeaderFlags.flags != 0 { usual.areKeys = try header.take(UInt32.self) & 0x1_0000 == 0 }

        var timeBox = try boxes.required("tfdt", "tfdt")
        let time = try timeBox.takeTime(version: timeBox.takeFullBoxHeader().version)
        guard boxes.count(where: { $0.type == "trun" }) == 1 else { throw .unsupported("a fragment of several runs") }
        var run = try boxes.required("trun", "trun")
        return try readSamples(&run, trackID: trackID, time: time, usual, usualSize, maximumSamples)
    }

    private static func readSamples(
        _ run: inout ByteBuffer, trackID: UInt32, time: Int64, _ usual: Defaults, _ usualSize: UInt32?,
        _ maximumSamples: Int
    ) throws(MP4Reader.Failure) -> Run {
        let flags = try run.takeFullBoxHeader().flags
        guard flags & RunFlags.compositionOffset == 0 else { throw .unsupported("pictures out of order") }
        guard flags & RunFlags.dataOffset != 0 else { throw .unsupported("a run without a data offset") }
        let count: UInt32 = try run.take()
        guard count <= maximumSamples else { throw .tooLarge("samples of a fragment") }
        let dataOffset: Int32 = try run.take()
        var firstIsKey: Bool?
        if flags & RunFlags.firstSampleFlags != 0 { firstIsKey = try run.take(UInt32.self) & 0x1_0000 == 0 }
        var samples: [Sample] = []
        samples.reserveCapacity(Int(count))
        for index in 0..<count {
            var sample = Sample(size: usualSize ?? 0, duration: usual.duration, isKey: usual.areKeys)
            if flags & RunFlags.duration != 0 { sample.duration = try run.take() }
            if flags & RunFlags.size != 0 { sample.size = try run.take() }
            if flags & RunFlags.flags != 0 { sample.isKey = try run.take(UInt32.self) & 0x1_0000 == 0 }
            if index == 0, let firstIsKey { sample.isKey = firstIsKey }
            guard sample.size <= MP4.maximumSampleLength else { throw .tooLarge("a sample") }
            samples.append(sample)
        }
        return Run(trackID: trackID, time: time, dataOffset: Int(dataOffset), samples: samples)
    }
}

extension CRC32C {
    /// A part of a buffer's readable bytes.
    mutating func update(_ buffer: ByteBuffer, from start: Int, to end: Int) {
        buffer.withUnsafeReadableBytes { update(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }
}
