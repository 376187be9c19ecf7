import Media

/// One track of a movie.
struct MP4Track: Sendable {
    enum Format: Sendable, Hashable {
        case video(VideoFormat)
        case audio(AudioFormat)
    }

    var format: Format
    /// Ticks a second.
    let timescale: Int
    /// The first sample's time, from the movie's time 0; sound may begin before that.
    var start = MediaTime.zero
    var samples = MP4SampleTable()

    var kind: MediaKind {
        switch format {
        case .video: .video
        case .audio: .audio
        }
    }

    /// The tick, counted from the track's first sample, that belongs to a time of the movie.
    func tick(at time: MediaTime) -> Int64 { (time - start).ticks(rate: timescale) }

    /// The time in the movie that belongs to a tick.
    func time(of tick: Int64) -> MediaTime { start + .samples(tick, rate: timescale) }

    /// The end of the last sample in the movie.
    var end: MediaTime { time(of: samples.end) }

    static func tracks(of format: StreamFormat) -> [MP4Track] {
        var tracks: [MP4Track] = []
        if let video = format.video { tracks.append(MP4Track(format: .video(video), timescale: MP4.videoTimescale)) }
        // One tick a sample: what the encoder counts.
        if let audio = format.audio { tracks.append(MP4Track(format: .audio(audio), timescale: audio.rate)) }
        return tracks
    }
}

extension StreamFormat {
    init(_ tracks: [MP4Track]) {
        self.init()
        for track in tracks {
            switch track.format {
            case .video(let format): video = format
            case .audio(let format): audio = format
            }
        }
    }
}
