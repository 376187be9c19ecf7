import Media
import NIOCore

/// Writes movie boxes (ISO/IEC 14496-12, 8.2): the one in front of the fragments, which only says what the tracks are,
/// and the one at the end of a closed file, which knows every sample.
struct MP4MovieBox {
    /// From 1904, when time begins here (8.2.2).
    static let secondsTo1970: Int64 = 2_082_844_800

    /// Seconds since 1904.
    private let creation: Int64
    private let tracks: [MP4Track]
    private let isFragmented: Bool

    /// - Parameter utcStart: milliseconds since 1970.
    private init(tracks: [MP4Track], utcStart: Int64, isFragmented: Bool) {
        creation = utcStart / 1000 + Self.secondsTo1970
        self.tracks = tracks
        self.isFragmented = isFragmented
    }

    static func initial(_ tracks: [MP4Track], utcStart: Int64) -> ByteBuffer {
        MP4MovieBox(tracks: tracks, utcStart: utcStart, isFragmented: true).bytes()
    }

    /// A track without a sample is left out.
    static func complete(_ tracks: [MP4Track], utcStart: Int64) -> ByteBuffer {
        MP4MovieBox(
            tracks: tracks.filter { $0.samples.count > 0 }, utcStart: utcStart, isFragmented: false
        ).bytes()
    }

    /// File type (4.3): fragments whose offsets count from themselves came with iso6.
    static func writeFileType(to buffer: inout ByteBuffer) {
        buffer.writeBox("ftyp") { buffer in
            buffer.writeMultipleIntegers(BoxType("isom").code, UInt32(512))
            for brand in ["isom", "iso6", "avc1", "mp41"] as [BoxType] { buffer.writeInteger(brand.code) }
        }
    }

    private func bytes() -> ByteBuffer {
        var buffer = ByteBuffer()
        // Size, duration and offset of a sample; everything else fits into the rest.
        buffer.reserveCapacity(4096 + tracks.reduce(0) { $0 + 12 * $1.samples.count + 24 * $1.samples.chunks.count })
        buffer.writeBox("moov") { buffer in
            writeMovieHeader(to: &buffer)
            for track in tracks { writeTrack(track, to: &buffer) }
            if isFragmented { writeExtends(to: &buffer) }
        }
        return buffer
    }

    /// Version 1 of a box where a time does not fit into 32 bits.
    private func version(_ duration: Int64) -> UInt8 { max(creation, duration) > UInt32.max ? 1 : 0 }

    private func writeTimes(to buffer: inout ByteBuffer, version: UInt8) {
        buffer.writeTime(creation, version: version)
        buffer.writeTime(creation, version: version)
    }

    private func writeMovieHeader(to buffer: inout ByteBuffer) {
        let duration = tracks.map { Edit($0).presentation }.max() ?? 0
        let version = version(duration)
        buffer.writeFullBox("mvhd", version: version) {
            writeTimes(to: &$0, version: version)
            $0.writeInteger(UInt32(MP4.videoTimescale))
            $0.writeTime(duration, version: version)
            // Speed and volume 1.
            $0.writeMultipleIntegers(UInt32(0x1_0000), UInt16(0x100))
            $0.writeZeros(10)
            writeMatrix(to: &$0)
            $0.writeZeros(24)
            $0.writeInteger((tracks.map { MP4.trackID($0.kind) }.max() ?? 0) + 1)
        }
    }

    /// No rotation, no scaling (6.2.2).
    private func writeMatrix(to buffer: inout ByteBuffer) {
        for value in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] as [UInt32] { buffer.writeInteger(value) }
    }

    // MARK: A track

    private func writeTrack(_ track: MP4Track, to buffer: inout ByteBuffer) {
        buffer.writeBox("trak") {
            writeTrackHeader(track, to: &$0)
            writeEdits(track, to: &$0)
            $0.writeBox("mdia") { writeMedia(track, to: &$0) }
        }
    }

    private func writeTrackHeader(_ track: MP4Track, to buffer: inout ByteBuffer) {
        let duration = isFragmented ? 0 : Edit(track).presentation
        let version = version(duration)
        // Enabled and part of the movie.
        buffer.writeFullBox("tkhd", version: version, flags: 3) {
            writeTimes(to: &$0, version: version)
            $0.writeMultipleIntegers(MP4.trackID(track.kind), UInt32(0))
            $0.writeTime(duration, version: version)
            $0.writeZeros(12)
            var size = PictureSize(width: 0, height: 0)
            if case .video(let format) = track.format { size = format.size }
            $0.writeMultipleIntegers(UInt16(track.kind == .audio ? 0x100 : 0), UInt16(0))
            writeMatrix(to: &$0)
            $0.writeMultipleIntegers(UInt32(size.width) << 16, UInt32(size.height) << 16)
        }
    }

    /// Where a track lies in the movie, in the movie's ticks (8.6.6).
    private struct Edit {
        /// Nothing of the track, in front.
        let empty: Int64
        /// Then its media from here on, in its own ticks, for so long.
        let mediaTime: Int64
        let length: Int64

        var presentation: Int64 { empty + length }

        init(_ track: MP4Track) {
            let offset = track.start
            empty = max(0, offset.ticks(rate: MP4.videoTimescale))
            mediaTime =
                offset < .zero ? min((MediaTime.zero - offset).ticks(rate: track.timescale), track.samples.end) : 0
            length = MediaTime.samples(track.samples.end - mediaTime, rate: track.timescale)
                .ticks(rate: MP4.videoTimescale)
        }
    }

    private func writeEdits(_ track: MP4Track, to buffer: inout ByteBuffer) {
        var entries: [(length: Int64, mediaTime: Int64)] = []
        if isFragmented {
            // All of the track, from where sound that begins early would begin; a length of 0 means all (8.6.6.1).
            if track.kind == .audio { entries = [(0, MP4.maximumLead.ticks(rate: track.timescale))] }
        } else {
            let edit = Edit(track)
            if edit.empty > 0 { entries.append((edit.empty, -1)) }
            if edit.empty > 0 || edit.mediaTime > 0 { entries.append((edit.length, edit.mediaTime)) }
        }
        guard !entries.isEmpty else { return }
        let isLong = entries.contains { $0.length > UInt32.max || $0.mediaTime > Int32.max }
        buffer.writeBox("edts") {
            $0.writeFullBox("elst", version: isLong ? 1 : 0) {
                $0.writeInteger(UInt32(entries.count))
                for entry in entries {
                    if isLong {
                        $0.writeMultipleIntegers(entry.length, entry.mediaTime)
                    } else {
                        $0.writeMultipleIntegers(UInt32(entry.length), Int32(entry.mediaTime))
                    }
                    $0.writeInteger(UInt32(0x1_0000))
                }
            }
        }
    }

    private func writeMedia(_ track: MP4Track, to buffer: inout ByteBuffer) {
        let version = version(track.samples.end)
        buffer.writeFullBox("mdhd", version: version) {
            writeTimes(to: &$0, version: version)
            $0.writeInteger(UInt32(track.timescale))
            $0.writeTime(track.samples.end, version: version)
            // Language "und" (8.4.2.3).
            $0.writeMultipleIntegers(UInt16(0x55C4), UInt16(0))
        }
        let isVideo = track.kind == .video
        buffer.writeFullBox("hdlr") {
            $0.writeMultipleIntegers(UInt32(0), (isVideo ? "vide" : "soun" as BoxType).code)
            $0.writeZeros(12)
            $0.writeString(isVideo ? "Video\0" : "Sound\0")
        }
        buffer.writeBox("minf") {
            if isVideo {
                $0.writeFullBox("vmhd", flags: 1) { $0.writeZeros(8) }
            } else {
                $0.writeFullBox("smhd") { $0.writeZeros(4) }
            }
            $0.writeBox("dinf") {
                $0.writeFullBox("dref") {
                    $0.writeInteger(UInt32(1))
                    // The media is in this file (8.7.2).
                    $0.writeFullBox("url ", flags: 1) { _ in }
                }
            }
            $0.writeBox("stbl") {
                $0.writeFullBox("stsd") {
                    $0.writeInteger(UInt32(1))
                    MP4SampleEntry.write(track.format, to: &$0)
                }
                writeSampleTables(track, to: &$0)
            }
        }
    }

    // MARK: The samples of a track

    private func writeSampleTables(_ track: MP4Track, to buffer: inout ByteBuffer) {
        let samples = track.samples
        buffer.writeFullBox("stts") { $0.writeTable { writeDurations(samples, to: &$0) } }
        if track.kind == .video, !isFragmented {
            buffer.writeFullBox("stss") { $0.writeTable { writeKeys(samples, to: &$0) } }
        }
        buffer.writeFullBox("stsc") { $0.writeTable { writeChunkLengths(samples, to: &$0) } }
        buffer.writeFullBox("stsz") {
            $0.writeMultipleIntegers(UInt32(0), UInt32(samples.count))
            var all = samples.makeIterator()
            while let sample = all.next() { $0.writeInteger(UInt32(sample.size)) }
        }
        let isLong = samples.chunks.contains { $0.offset > UInt32.max }
        buffer.writeFullBox(isLong ? "co64" : "stco") {
            $0.writeInteger(UInt32(samples.chunks.count))
            for chunk in samples.chunks {
                if isLong { $0.writeInteger(chunk.offset) } else { $0.writeInteger(UInt32(chunk.offset)) }
            }
        }
    }

    /// Runs of equal durations (8.6.1.2).
    private func writeDurations(_ samples: MP4SampleTable, to buffer: inout ByteBuffer) -> UInt32 {
        var all = samples.makeIterator()
        guard var duration = all.next()?.duration else { return 0 }
        var length: UInt32 = 1
        var runs: UInt32 = 1
        while let sample = all.next() {
            if sample.duration == duration {
                length += 1
            } else {
                buffer.writeMultipleIntegers(length, duration)
                (length, duration) = (1, sample.duration)
                runs += 1
            }
        }
        buffer.writeMultipleIntegers(length, duration)
        return runs
    }

    /// Numbers of the samples that decoding can start at, from 1 (8.6.2).
    private func writeKeys(_ samples: MP4SampleTable, to buffer: inout ByteBuffer) -> UInt32 {
        var all = samples.makeIterator()
        var number: UInt32 = 0
        var keys: UInt32 = 0
        while let sample = all.next() {
            number += 1
            guard sample.isKey else { continue }
            buffer.writeInteger(number)
            keys += 1
        }
        return keys
    }

    /// Runs of chunks with equally many samples, chunks counted from 1 (8.7.4).
    private func writeChunkLengths(_ samples: MP4SampleTable, to buffer: inout ByteBuffer) -> UInt32 {
        var last = 0
        var runs: UInt32 = 0
        for index in samples.chunks.indices {
            let count = samples.sampleCount(ofChunk: index)
            guard count != last else { continue }
            buffer.writeMultipleIntegers(UInt32(index + 1), UInt32(count), UInt32(1))
            last = count
            runs += 1
        }
        return runs
    }

    // MARK: Fragments will follow

    /// Announces fragments and what most of their samples have in common (8.8.1, 8.8.3).
    private func writeExtends(to buffer: inout ByteBuffer) {
        buffer.writeBox("mvex") {
            for track in tracks {
                let defaults = track.fragmentDefaults
                $0.writeFullBox("trex") {
                    $0.writeMultipleIntegers(
                        MP4.trackID(track.kind), UInt32(1), defaults.duration, UInt32(0),
                        defaults.areKeys ? MP4Fragment.keyFlags : MP4Fragment.otherFlags)
                }
            }
        }
    }
}

extension MP4Track {
    /// What fragments need not say.
    var fragmentDefaults: MP4Fragment.Defaults {
        switch format {
        case .audio: .init(duration: UInt32(AudioFormat.samplesPerFrame), areKeys: true)
        case .video(let format):
            .init(duration: Self.nominalDuration(format, timescale: timescale), areKeys: false)
        }
    }

    /// How long a picture lasts as configured; 40 ms where that makes no sense.
    private static func nominalDuration(_ format: VideoFormat, timescale: Int) -> UInt32 {
        let rate = (0.01...1000).contains(format.frameRate) ? format.frameRate : 25
        return UInt32((Double(timescale) / rate).rounded())
    }
}
