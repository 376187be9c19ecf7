import Media
import NIOCore

/// Reads movie boxes (ISO/IEC 14496-12, 8.2): both that MP4MovieBox writes, and no others.
struct MP4MovieReading {
    /// Fragments follow, and the tracks have no samples yet.
    private(set) var isFragmented = false
    private(set) var tracks: [MP4Track] = []
    private(set) var defaults: [UInt32: MP4Fragment.Defaults] = [:]
    /// Of each track, in fragments: the decode time at which the movie's time 0 is.
    private(set) var leads: [Int64] = []
    /// The movie's creation time in milliseconds since 1970.
    let utcStart: Int64
    private var samplesLeft = MP4.maximumSamples
    /// Media lies before this place of the file.
    private let mediaEnd: Int64

    /// Of a movie box: what `MP4.maximumSamples` take in the worst case.
    static let maximumLength = 24 << 20

    /// - Parameter body: what is in the `moov`.
    init(_ body: ByteBuffer, mediaEnd: Int64) throws(MP4Reader.Failure) {
        self.mediaEnd = mediaEnd
        let boxes = try body.children()
        var header = try boxes.required("mvhd", "mvhd")
        let version = try header.takeFullBoxHeader().version
        let creation = try header.takeTime(version: version)
        utcStart = max(0, min(creation, 1 << 40) - MP4MovieBox.secondsTo1970) * 1000
        try header.skip(version == 0 ? 4 : 8)
        let movieTimescale = try Self.timescale(&header)
        if let extends = boxes.first("mvex") {
            isFragmented = true
            for box in try extends.children() where box.type == "trex" { try readDefaults(box.body) }
        }
        for box in boxes where box.type == "trak" { try readTrack(box.body, movieTimescale: movieTimescale) }
        guard !tracks.isEmpty || !isFragmented else { throw .noMovie }
    }

    private static func timescale(_ body: inout ByteBuffer) throws(MP4Reader.Failure) -> Int {
        let value: UInt32 = try body.take()
        guard (1...1_000_000).contains(value) else { throw .unsupported("\(value) ticks a second") }
        return Int(value)
    }

    private mutating func readDefaults(_ body: ByteBuffer) throws(MP4Reader.Failure) {
        var body = body
        _ = try body.takeFullBoxHeader()
        let id: UInt32 = try body.take()
        try body.skip(4)
        let duration: UInt32 = try body.take()
        try body.skip(4)
        defaults[id] = MP4Fragment.Defaults(duration: duration, areKeys: try body.take(UInt32.self) & 0x1_0000 == 0)
    }

    private mutating func readTrack(_ body: ByteBuffer, movieTimescale: Int) throws(MP4Reader.Failure) {
        let boxes = try body.children()
        let media = try boxes.required("mdia", "mdia").children()
        var header = try media.required("mdhd", "mdhd")
        let version = try header.takeFullBoxHeader().version
        try header.skip(version == 0 ? 8 : 16)
        let timescale = try Self.timescale(&header)
        let tables = try media.required("minf", "minf").children().required("stbl", "stbl").children()
        guard let format = try MP4SampleEntry.read(tables.required("stsd", "stsd")) else { return }
        var track = MP4Track(format: format, timescale: timescale)
        guard !tracks.contains(where: { $0.kind == track.kind }) else { throw .unsupported("several tracks of a kind") }
        let edit = try readEdits(boxes.first("edts"))
        if isFragmented {
            var trackHeader = try boxes.required("tkhd", "tkhd")
            let version = try trackHeader.takeFullBoxHeader().version
            try trackHeader.skip(version == 0 ? 8 : 16)
            guard try trackHeader.take(UInt32.self) == MP4.trackID(track.kind),
                defaults[MP4.trackID(track.kind)] != nil, edit.empty == 0
            else { throw .unsupported("fragments of another writer") }
            leads.append(edit.mediaTime)
        } else {
            track.start = .samples(edit.empty, rate: movieTimescale) - .samples(edit.mediaTime, rate: timescale)
            track.samples = try readSamples(tables, timescale: timescale)
        }
        tracks.append(track)
    }

    /// Nothing first, for `empty` of the movie's ticks, then the media from `mediaTime` of the track's ticks on.
    private func readEdits(_ edits: ByteBuffer?) throws(MP4Reader.Failure) -> (empty: Int64, mediaTime: Int64) {
        var empty: Int64 = 0
        guard let edits, var list = try edits.children().first("elst") else { return (0, 0) }
        let version = try list.takeFullBoxHeader().version
        let count: UInt32 = try list.take()
        guard count <= 2 else { throw .unsupported("an edit list of \(count) entries") }
        for _ in 0..<count {
            let length = try list.takeTime(version: version)
            let mediaTime = version == 0 ? Int64(try list.take(Int32.self)) : try list.take(Int64.self)
            try list.skip(4)
            // Ticks are at most a million a second, so this is beyond all that is allowed.
            guard length < 1 << 40, mediaTime < 1 << 40 else { throw .malformed("an edit beyond all bounds") }
            if mediaTime >= 0 { return (empty, mediaTime) }
            empty += length
        }
        return (empty, 0)
    }

    // MARK: Sample tables

    /// Goes through all tables of a track at once (8.6.1.2, 8.6.2, 8.7.3 to 8.7.5).
    private mutating func readSamples(
        _ tables: [Box], timescale: Int
    ) throws(MP4Reader.Failure) -> MP4SampleTable {
        guard tables.first("ctts") == nil else { throw .unsupported("pictures out of order") }
        var sizes = try tables.required("stsz", "stsz")
        _ = try sizes.takeFullBoxHeader()
        let commonSize: UInt32 = try sizes.take()
        let count: UInt32 = try sizes.take()
        guard count <= samplesLeft else { throw .tooLarge("samples") }
        samplesLeft -= Int(count)
        var durations = try RunLengths(tables.required("stts", "stts"))
        var keys = try KeyNumbers(tables.first("stss"))
        var chunks = try ChunkTable(tables)

        var table = MP4SampleTable()
        var time: Int64 = 0
        var leftInChunk: UInt32 = 0
        var offset: Int64 = 0
        for number in 0..<count {
            if leftInChunk == 0 {
                (offset, leftInChunk) = try chunks.next()
                table.beginChunk(offset: offset)
            }
            let size = commonSize != 0 ? commonSize : try sizes.take()
            guard size <= MP4.maximumSampleLength else { throw .tooLarge("a sample") }
            guard offset >= 0, offset <= mediaEnd - Int64(size) else { throw .malformed("a sample outside the file") }
            table.add(size: Int(size), isKey: try keys.contains(number + 1), time: time)
            time += Int64(try durations.next())
            offset += Int64(size)
            leftInChunk -= 1
        }
        guard time / Int64(timescale) < MP4.maximumDuration.nanoseconds / 1_000_000_000 else {
            throw .tooLarge("the duration")
        }
        table.finish(at: time)
        return table
    }

    /// stts: a value for each sample, equal ones told by their count.
    private struct RunLengths {
        private var body: ByteBuffer
        private var left: UInt32 = 0
        private var value: UInt32 = 0

        init(_ body: ByteBuffer) throws(MP4Reader.Failure) {
            self.body = body
            _ = try self.body.takeFullBoxHeader()
            try self.body.skip(4)
        }

        mutating func next() throws(MP4Reader.Failure) -> UInt32 {
            if left == 0 {
                left = try body.take()
                value = try body.take()
                guard left > 0 else { throw .malformed("a run of no samples") }
            }
            left -= 1
            return value
        }
    }

    /// stss: ascending numbers; without the box all samples are keys.
    private struct KeyNumbers {
        private var body: ByteBuffer?
        private var next: UInt32 = 0

        init(_ body: ByteBuffer?) throws(MP4Reader.Failure) {
            guard var body else { return }
            _ = try body.takeFullBoxHeader()
            try body.skip(4)
            next = body.readInteger() ?? 0
            self.body = body
        }

        mutating func contains(_ number: UInt32) throws(MP4Reader.Failure) -> Bool {
            guard body != nil else { return true }
            guard number == next else { return false }
            next = body?.readInteger() ?? 0
            return true
        }
    }

    /// stsc with stco or co64: where each chunk lies and how many samples it holds.
    private struct ChunkTable {
        private var offsets: ByteBuffer
        private let areLong: Bool
        private var lengths: ByteBuffer
        private var chunk: UInt32 = 0
        private var length: UInt32 = 0
        /// The next entry of stsc: from this chunk on so many samples.
        private var coming: (chunk: UInt32, length: UInt32)?

        init(_ tables: [Box]) throws(MP4Reader.Failure) {
            lengths = try tables.required("stsc", "stsc")
            areLong = tables.first("stco") == nil
            offsets = try tables.required(areLong ? "co64" : "stco", "stco")
            _ = try offsets.takeFullBoxHeader()
            try offsets.skip(4)
            _ = try lengths.takeFullBoxHeader()
            try lengths.skip(4)
            coming = Self.read(&lengths)
        }

        private static func read(_ body: inout ByteBuffer) -> (UInt32, UInt32)? {
            body.readMultipleIntegers(as: (UInt32, UInt32, UInt32).self).map { ($0.0, $0.1) }
        }

        mutating func next() throws(MP4Reader.Failure) -> (offset: Int64, count: UInt32) {
            chunk += 1
            if let next = coming, next.chunk == chunk {
                length = next.length
                coming = Self.read(&lengths)
            }
            guard length > 0 else { throw .malformed("a chunk of no samples") }
            let offset = areLong ? Int64(clamping: try offsets.take(UInt64.self)) : Int64(try offsets.take(UInt32.self))
            return (offset, length)
        }
    }
}
