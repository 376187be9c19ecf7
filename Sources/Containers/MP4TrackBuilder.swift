import Media

/// Puts tracks together from fragments, each of which is taken whole or not at all.
struct MP4TrackBuilder {
    private struct Growing {
        var track: MP4Track
        /// The decode time at which the movie's time 0 is, and that of the first sample.
        let lead: Int64
        var first: Int64?
        var lastDuration: UInt32 = 0
    }

    private var growing: [Growing]
    private var samplesLeft = MP4.maximumSamples

    init(_ movie: MP4MovieReading) {
        growing = zip(movie.tracks, movie.leads).map { Growing(track: $0, lead: $1) }
    }

    mutating func add(_ fragment: MP4Fragment, _ place: MP4FileScan.FragmentPlace) throws(MP4Reader.Failure) {
        var runs: [(index: Int, run: MP4Fragment.Run)] = []
        for run in fragment.runs where !run.samples.isEmpty {
            guard let index = growing.firstIndex(where: { MP4.trackID($0.track.kind) == run.trackID }) else {
                throw .malformed("a fragment of no track")
            }
            try check(run, growing[index], place)
            runs.append((index, run))
        }
        let count = runs.reduce(0) { $0 + $1.run.samples.count }
        guard count > 0 else { throw .malformed("a fragment of no samples") }
        guard count <= samplesLeft else { throw .tooLarge("samples") }
        samplesLeft -= count
        for (index, run) in runs { add(run, to: &growing[index], at: place.offset + Int64(run.dataOffset)) }
    }

    private func check(
        _ run: MP4Fragment.Run, _ growing: Growing, _ place: MP4FileScan.FragmentPlace
    ) throws(MP4Reader.Failure) {
        let dataStart = place.headLength + MP4Fragment.dataHeaderLength
        guard run.dataOffset >= dataStart, Int64(run.dataOffset + run.dataLength) <= place.end - place.offset else {
            throw .malformed("samples outside their fragment")
        }
        let maximum = (MP4.maximumDuration + MP4.maximumLead).ticks(rate: growing.track.timescale)
        let duration = run.samples.reduce(0) { $0 + Int64($1.duration) }
        guard run.time <= maximum, duration <= maximum - run.time else { throw .malformed("a time beyond all bounds") }
        guard let first = growing.first else { return }
        let gap = run.time - first - growing.track.samples.end
        guard gap > 0, gap <= UInt32.max else { throw .malformed("fragments out of order") }
    }

    private func add(_ run: MP4Fragment.Run, to growing: inout Growing, at offset: Int64) {
        if growing.first == nil {
            growing.first = run.time
            growing.track.start = .samples(run.time - growing.lead, rate: growing.track.timescale)
        }
        growing.track.samples.beginChunk(offset: offset)
        var tick = run.time - (growing.first ?? 0)
        for sample in run.samples {
            growing.track.samples.add(size: Int(sample.size), isKey: sample.isKey, time: tick)
            tick += Int64(sample.duration)
            growing.lastDuration = sample.duration
        }
    }

    func finished() -> [MP4Track] {
        growing.map {
            var track = $0.track
            track.samples.finish(at: track.samples.end + Int64($0.lastDuration))
            return track
        }
    }
}
