import Media

/// Where a sample lies in a file and when it is due.
package struct MP4Sample: Sendable, Hashable {
    package let kind: MediaKind
    /// Decoding can start here.
    package let isKey: Bool
    /// Its bytes in the file, as in `EncodedFrame.data`.
    package let offset: Int64
    package let size: Int
    /// From the file's time 0; sound may be before it.
    package let time: MediaTime
    package let duration: MediaTime

    init(_ entry: MP4SampleTable.Entry, of track: MP4Track) {
        kind = track.kind
        isKey = entry.isKey
        offset = entry.offset
        size = entry.size
        time = track.time(of: entry.time)
        duration = track.time(of: entry.time + Int64(entry.duration)) - time
    }
}

/// The samples of all tracks in the order of their times; pictures before sound of the same time.
package struct MP4Samples: Sequence, IteratorProtocol, Sendable {
    private struct Source: Sendable {
        let track: MP4Track
        var entries: MP4SampleTable.Iterator
        var next: MP4Sample?

        init(_ track: MP4Track, chunk: Int) {
            self.track = track
            entries = track.samples.makeIterator(chunk: chunk)
            advance()
        }

        mutating func advance() { next = entries.next().map { MP4Sample($0, of: track) } }
    }

    private var sources: [Source]

    /// Everything, from the beginning.
    init(_ tracks: [MP4Track]) { sources = tracks.map { Source($0, chunk: 0) } }

    /// Everything that is due at `time` or later.
    init(_ tracks: [MP4Track], from time: MediaTime) {
        sources = tracks.map { track in
            var source = Source(track, chunk: track.samples.chunk(at: track.tick(at: time)))
            while let next = source.next, next.time < time { source.advance() }
            return source
        }
    }

    package mutating func next() -> MP4Sample? {
        var first: Int?
        for index in sources.indices {
            guard let next = sources[index].next else { continue }
            if let other = first, let earliest = sources[other].next, earliest.time <= next.time { continue }
            first = index
        }
        guard let first else { return nil }
        defer { sources[first].advance() }
        return sources[first].next
    }
}
