import Imaging
import Media

/// Takes single pictures of a channel, as JPEG in one size. From any thread; blocks.
struct PictureTaker: Sendable {
    /// It waits this long for a picture.
    static let timeout = MediaTime.seconds(3)

    let size: PictureSize
    let settings: ChannelSettings
    let video: VideoCapture
    let signal: CameraSignal
    let clock: any MediaClock

    /// The next picture; the "no signal" picture where the camera gives none.
    func take() -> [UInt8]? {
        let slot = Monitor<Picture?>(nil)
        video.onNextPicture { picture in
            slot.withLock { $0 = picture }
            slot.notify()
        }
        let timeout = signal.isRunning ? Self.timeout : .zero
        let picture =
            slot.wait(until: clock.now() + timeout) { $0 }
            ?? NoSignalPicture(size: size, name: settings.name, font: settings.overlay?.font)
            .draw(time: clock.now(), since: signal.lostAt, now: WallClock.now)
        guard let picture else { return nil }
        guard picture.size != size else { return try? JPEGEncoder.encode(picture) }
        let scaled = PicturePool(size: size, format: picture.format, limit: 1).take(time: picture.time)
        guard let scaled, PictureConverter.scale(picture, into: scaled) else { return nil }
        return try? JPEGEncoder.encode(scaled)
    }
}
