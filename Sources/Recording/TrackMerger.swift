import DequeModule
import Media
import Streaming

/// Puts a stream's pictures and sound in order, so that a file which ends at a key frame holds all sound from before and
/// none from after. The hub passes them on as they come: sound takes longer, as a rule, but a slow encoder may be later.
///
/// Sound waits for the pictures of its time. Pictures wait for sound only where a file is about to end: elsewhere a cut of
/// the power would cost them.
struct TrackMerger {
    /// A track that gives nothing holds the other up for so long, and then no more.
    static let patience = MediaTime.seconds(1)

    private var video = Track()
    private var audio = Track()

    private struct Track {
        var frames: Deque<StreamFrame> = []
        /// Of the newest frame that came.
        var lastTime: MediaTime?

        var span: MediaTime {
            guard let first = frames.first, let last = frames.last else { return .zero }
            return last.time - first.time
        }
    }

    mutating func push(_ frame: StreamFrame) {
        switch frame.kind {
        case .video:
            video.lastTime = frame.time
            video.frames.append(frame)
        case .audio:
            audio.lastTime = frame.time
            audio.frames.append(frame)
        }
    }

    /// The next frame that may go.
    ///
    /// - Parameter pictureWaits: whether a picture goes only once no earlier sound can come.
    mutating func pop(pictureWaits: Bool) -> StreamFrame? {
        switch (video.frames.first, audio.frames.first) {
        case (nil, nil): return nil
        case (let picture?, let sound?):
            // At the same time the picture is first: a file that begins with it gets the sound too.
            return picture.time <= sound.time ? video.frames.popFirst() : audio.frames.popFirst()
        case (let picture?, nil):
            let isOtherThere = picture.headers.all.format.audio != nil
            return !pictureWaits || canPass(picture, other: audio, own: video, isOtherThere: isOtherThere)
                ? video.frames.popFirst() : nil
        case (nil, let sound?):
            return canPass(sound, other: video, own: audio, isOtherThere: sound.headers.all.format.video != nil)
                ? audio.frames.popFirst() : nil
        }
    }

    private func canPass(_ frame: StreamFrame, other: Track, own: Track, isOtherThere: Bool) -> Bool {
        !isOtherThere || other.lastTime.map { $0 >= frame.time } ?? false || own.span > Self.patience
    }

    /// All that waits, when nothing more will come.
    mutating func drain() -> [StreamFrame] {
        let all = Array(video.frames) + Array(audio.frames)
        self = TrackMerger()
        return all.sorted { ($0.time, $0.kind == .video ? 0 : 1) < ($1.time, $1.kind == .video ? 0 : 1) }
    }
}
