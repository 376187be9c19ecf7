import Media
import NIOCore

/// A track while its file grows: what is in the file, and the frames that wait for their fragment to be whole.
struct MP4GrowingTrack: Sendable {
    private(set) var track: MP4Track
    /// Added to decode times in fragments, which have no sign.
    private let lead: Int64
    /// How long a frame lasts as long as the next one has not said.
    private let usualDuration: UInt32
    private(set) var hasBegun = false
    /// The tick of the last frame, and the one at which it ends.
    private var last: Int64 = 0
    private var end: Int64 = 0
    /// Where the frames that are in the file end.
    private var written: Int64 = 0
    private var held: [MP4Fragment.Sample] = []
    private var heldTick: Int64 = 0
    /// The held frames' data.
    private(set) var media: [ByteBuffer] = []

    init(_ track: MP4Track) {
        self.track = track
        lead = track.kind == .audio ? MP4.maximumLead.ticks(rate: track.timescale) : 0
        usualDuration = track.fragmentDefaults.duration
    }

    var holdsFrames: Bool { !held.isEmpty }
    /// In the movie: the last frame's time, and its end.
    var lastTime: MediaTime { track.time(of: last) }
    var endTime: MediaTime { track.time(of: end) }
    var writtenTime: MediaTime { track.time(of: written) }

    /// The next frame begins at `time`, or the next file does: now it is known how long the last frame lasts.
    mutating func settle(until time: MediaTime) {
        // A clock that does not get on is helped by a tick.
        end = max(track.tick(at: time), last + 1)
        if let index = held.indices.last {
            held[index].duration = UInt32(clamping: end - last)
        }
    }

    mutating func begin(at time: MediaTime) {
        hasBegun = true
        track.start = time
    }

    /// Takes the frame that begins where the last one ends.
    mutating func hold(_ frame: EncodedFrame) {
        if held.isEmpty { heldTick = end }
        held.append(
            MP4Fragment.Sample(
                size: UInt32(frame.data.readableBytes), duration: usualDuration, isKey: frame.isKey))
        media.append(frame.data)
        last = end
        end += Int64(usualDuration)
    }

    /// What waits, as a run of a fragment.
    var run: MP4Fragment.Run {
        MP4Fragment.Run(
            trackID: MP4.trackID(track.kind), time: lead + track.start.ticks(rate: track.timescale) + heldTick,
            dataOffset: 0, samples: held)
    }

    /// What waited is in the file.
    mutating func settleRun(at offset: Int64) {
        track.samples.beginChunk(offset: offset)
        var tick = heldTick
        for sample in held {
            track.samples.add(size: Int(sample.size), isKey: sample.isKey, time: tick)
            tick += Int64(sample.duration)
        }
        written = tick
        held.removeAll(keepingCapacity: true)
        media.removeAll(keepingCapacity: true)
    }

    /// The track as it is at last; nothing waits any more.
    func finished() -> MP4Track {
        var track = track
        track.samples.finish(at: end)
        return track
    }
}
