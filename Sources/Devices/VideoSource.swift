import Imaging
import Media

/// What a camera hands over.
package enum CapturedVideo: Sendable {
    /// Ready for an encoder.
    case picture(Picture)
    /// Needs conversion first, which is left out while nobody wants the picture.
    case raw(RawPicture)
    /// Encoded by the camera itself.
    case h264(CameraAccessUnit)

    package var time: MediaTime {
        switch self {
        case .picture(let picture): picture.time
        case .raw(let raw): raw.time
        case .h264(let unit): unit.time
        }
    }
}

/// A captured picture in a layout that encoders do not take. Whoever drops the last reference gives the memory back.
package final class RawPicture: @unchecked Sendable {
    package let format: RawFormat
    package let size: PictureSize
    package let bytes: UnsafeRawBufferPointer
    package let stride: Int
    package let time: MediaTime
    private let onRelease: @Sendable () -> Void

    package init(
        format: RawFormat, size: PictureSize, bytes: UnsafeRawBufferPointer, stride: Int, time: MediaTime,
        onRelease: @escaping @Sendable () -> Void
    ) {
        self.format = format
        self.size = size
        self.bytes = bytes
        self.stride = stride
        self.time = time
        self.onRelease = onRelease
    }

    deinit { onRelease() }

    /// As I420, in memory of `pool`. Nil where the pool has none left or the bytes are broken.
    package func converted(with pool: PicturePool) -> Picture? {
        guard pool.size == size, let picture = pool.take(time: time),
            PictureConverter.convert(bytes, stride: stride, format: format, into: picture)
        else { return nil }
        return picture
    }
}

/// One access unit of H.264 with start codes, as cameras give it.
package struct CameraAccessUnit: Sendable {
    package let annexB: [UInt8]
    package let size: PictureSize
    package let time: MediaTime

    package init(annexB: [UInt8], size: PictureSize, time: MediaTime) {
        self.annexB = annexB
        self.size = size
        self.time = time
    }
}

/// An open camera. Belongs to one thread; what it hands out may go to others.
package protocol VideoSource: AnyObject {
    /// What is captured, such as "NV12 1280x720 25/s".
    var detail: String { get }
    /// The time between two pictures that the device promised.
    var interval: MediaTime { get }
    /// What was asked for and refused, without being fatal.
    var warnings: [String] { get }
    /// Pictures let go because all memory was in use, or that the driver marked as broken.
    var dropped: Int { get }

    /// Waits for the next picture, at most `timeout`. Nil when none came in that time.
    func next(timeout: MediaTime) throws(DeviceError) -> CapturedVideo?
}

/// An open microphone. Belongs to one thread.
package protocol AudioSource: AnyObject {
    /// What is captured, such as "S16_LE 16000 Hz mono".
    var detail: String { get }
    /// How often the driver's buffer ran over.
    var overruns: Int { get }

    /// Waits for sound, at most `timeout`. Nil when none came in that time.
    func read(timeout: MediaTime) throws(DeviceError) -> SampleBuffer?
}
