/// Where the samples of a track lie and when they are due, in a few bytes each: two for a sound frame, three to five for
/// a picture. Samples stand in chunks, one behind the other in the file; a search begins at a chunk.
///
/// A sample is written once the next one's time is known, as one or two numbers of seven bits a byte: its size with two
/// flags, and its duration where that is not the former sample's.
struct MP4SampleTable: Sendable {
    struct Chunk: Sendable {
        /// In the file.
        let offset: Int64
        /// Of its first sample, in ticks from the track's first one.
        let time: Int64
        let firstSample: UInt32
        /// Of its first sample's record.
        let position: UInt32
    }

    struct Entry: Sendable {
        let offset: Int64
        let size: Int
        /// In ticks from the track's first sample.
        let time: Int64
        let duration: UInt32
        let isKey: Bool
    }

    private struct Open: Sendable {
        let size: UInt32
        let isKey: Bool
        let time: Int64
        let isFirstOfChunk: Bool
    }

    private(set) var chunks: [Chunk] = []
    private var records: [UInt8] = []
    private(set) var count = 0
    /// The end of the last sample; its beginning as long as that sample's duration is not known.
    private(set) var end: Int64 = 0
    private var last: Open?
    private var lastDuration: UInt32 = 0
    private var nextChunk: Int64?

    /// Bytes of memory that the samples take.
    var memory: Int { records.capacity + chunks.capacity * MemoryLayout<Chunk>.stride }

    /// The next sample lies at `offset`.
    mutating func beginChunk(offset: Int64) { nextChunk = offset }

    /// `time` must not be before the former sample's, nor 2³² ticks or more after it.
    mutating func add(size: Int, isKey: Bool, time: Int64) {
        settle(until: time)
        if let offset = nextChunk {
            chunks.append(
                Chunk(offset: offset, time: time, firstSample: UInt32(count), position: UInt32(records.count)))
        }
        last = Open(size: UInt32(size), isKey: isKey, time: time, isFirstOfChunk: nextChunk != nil)
        nextChunk = nil
        count += 1
        end = time
    }

    /// No more samples come; the last one ends at `time`.
    mutating func finish(at time: Int64) {
        settle(until: time)
        last = nil
        end = max(end, time)
    }

    private mutating func settle(until time: Int64) {
        guard let last else { return }
        let duration = UInt32(clamping: time - last.time)
        // The first of a chunk is read without knowledge of the one before.
        let isNew = last.isFirstOfChunk || duration != lastDuration
        append(last.size << 2 | (last.isKey ? 2 : 0) | (isNew ? 1 : 0))
        if isNew { append(duration) }
        lastDuration = duration
    }

    private mutating func append(_ value: UInt32) {
        var value = value
        while value >= 0x80 {
            records.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        records.append(UInt8(value))
    }

    /// How many samples stand in a chunk.
    func sampleCount(ofChunk index: Int) -> Int {
        let end = index + 1 < chunks.count ? Int(chunks[index + 1].firstSample) : count
        return end - Int(chunks[index].firstSample)
    }

    /// The chunk that holds what is due at `time`: the last one that begins no later, or else the first.
    func chunk(at time: Int64) -> Int {
        var low = 0
        var high = chunks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].time <= time { low = middle } else { high = middle }
        }
        return low
    }

    /// Goes through a finished table from the beginning of a chunk on.
    struct Iterator: IteratorProtocol, Sendable {
        private let table: MP4SampleTable
        private var chunk: Int
        private var leftInChunk = 0
        private var position = 0
        private var offset: Int64 = 0
        private var time: Int64 = 0
        private var duration: UInt32 = 0

        fileprivate init(_ table: MP4SampleTable, chunk: Int) {
            self.table = table
            self.chunk = chunk - 1
            if table.chunks.indices.contains(chunk) { position = Int(table.chunks[chunk].position) }
        }

        mutating func next() -> Entry? {
            if leftInChunk == 0 {
                guard chunk + 1 < table.chunks.count else { return nil }
                chunk += 1
                leftInChunk = table.sampleCount(ofChunk: chunk)
                offset = table.chunks[chunk].offset
                time = table.chunks[chunk].time
            }
            let head = read()
            if head & 1 == 1 { duration = read() }
            let entry = Entry(
                offset: offset, size: Int(head >> 2), time: time, duration: duration, isKey: head & 2 == 2)
            leftInChunk -= 1
            offset += Int64(entry.size)
            time += Int64(duration)
            return entry
        }

        private mutating func read() -> UInt32 {
            var value: UInt32 = 0
            var shift: UInt32 = 0
            while true {
                let byte = table.records[position]
                position += 1
                value |= UInt32(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }
    }

    func makeIterator(chunk: Int = 0) -> Iterator { Iterator(self, chunk: chunk) }

    /// The last key sample at or before `time`, else the first key sample there is.
    func key(atOrBefore time: Int64) -> Entry? {
        guard !chunks.isEmpty else { return nil }
        for index in stride(from: chunk(at: time), through: 0, by: -1) {
            var samples = makeIterator(chunk: index)
            var found: Entry?
            for _ in 0..<sampleCount(ofChunk: index) {
                guard let sample = samples.next(), sample.time <= time else { break }
                if sample.isKey { found = sample }
            }
            if let found { return found }
        }
        var samples = makeIterator()
        while let sample = samples.next() {
            if sample.isKey { return sample }
        }
        return nil
    }
}
