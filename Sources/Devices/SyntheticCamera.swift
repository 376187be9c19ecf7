import Imaging
import Media

/// A camera that is not there: see `SyntheticPattern` for what it shows.
package final class SyntheticCamera: VideoSource {
    package let detail: String
    package let interval: MediaTime
    package let warnings: [String] = []
    package private(set) var dropped = 0

    private let pool: PicturePool
    private var pattern: SyntheticPattern
    private let frameRate: Double
    /// A whole second, so that there is a picture at every whole second and flash and click meet exactly.
    private let start: MediaTime
    /// The step of that grid at which the first picture was due.
    private let firstStep: Int64
    private var counter: UInt32 = 0

    package init(settings: CameraSettings, name: String) throws(DeviceError) {
        guard settings.size == settings.size.even,
            let pattern = SyntheticPattern(size: settings.size, name: name)
        else {
            throw DeviceError(
                .unsupported, device: "synthetic", action: "making a picture",
                reason: "\(settings.size); both sides must be even")
        }
        pool = PicturePool(size: settings.size)
        self.pattern = pattern
        frameRate = settings.frameRate
        interval = MediaTime(nanoseconds: Int64(1e9 / settings.frameRate))
        detail = "I420 \(settings.size) \(settings.frameRate)/s"
        let now = SystemMediaClock().now()
        start = .seconds(now.nanoseconds / 1_000_000_000)
        firstStep = Int64(((now - start).seconds * settings.frameRate).rounded(.up))
    }

    package func next(timeout: MediaTime) throws(DeviceError) -> CapturedVideo? {
        let step = Double(firstStep + Int64(counter))
        let time = start + MediaTime(nanoseconds: Int64((step * 1e9 / frameRate).rounded()))
        guard Pacer.wait(until: time, timeout: timeout) else { return nil }
        guard let picture = pool.take(time: time) else {
            counter &+= 1
            dropped += 1
            return nil
        }
        pattern.draw(counter: counter, into: picture)
        counter &+= 1
        return .picture(picture)
    }
}
