import CV4L2
import Glibc
import Imaging
import Media
import Synchronization

/// A camera behind a V4L2 node, streaming into memory-mapped buffers that are handed out without a copy.
package final class V4L2Camera: VideoSource {
    package let detail: String
    package let interval: MediaTime
    package let warnings: [String]
    package private(set) var dropped = 0

    private let stream: V4L2Stream
    private let format: v4l2_pix_format
    private let fourCC: FourCC
    private let size: PictureSize

    /// Opens the device, picks a format and starts streaming.
    ///
    /// - Parameter passThrough: whether H.264 that the camera itself makes may be used.
    package init(path: String, settings: CameraSettings, passThrough: Bool) throws(DeviceError) {
        let device = try V4L2Device(path: path)
        guard try device.capabilities() != nil else {
            throw DeviceError(
                .unsupported, device: path, action: "opening the camera", reason: "it cannot stream pictures")
        }
        let formats = device.formats()
        guard
            let choice = CameraFormatChoice.choose(
                from: formats, size: settings.size, frameRate: settings.frameRate, passThrough: passThrough)
        else {
            let offered = formats.map(\.fourCC.description).joined(separator: ", ")
            throw DeviceError(
                .unsupported, device: path, action: "choosing a format", reason: "none of \(offered) can be used")
        }
        let (format, interval) = try device.configure(choice, frameRate: settings.frameRate)
        warnings = device.apply(settings)
        self.format = format
        self.interval = interval
        fourCC = choice.fourCC
        size = PictureSize(width: Int(format.width), height: Int(format.height))
        let rate = (1 / interval.seconds * 100).rounded() / 100
        detail = "\(fourCC) \(size) \(rate.formatted)/s"
        stream = try V4L2Stream(device)
    }

    deinit { stream.stop() }

    package func next(timeout: MediaTime) throws(DeviceError) -> CapturedVideo? {
        guard try stream.wait(timeout: timeout), let buffer = try stream.dequeue() else { return nil }
        // The driver must keep buffers to write into, or it drops pictures unseen.
        guard !buffer.isBroken, stream.queued >= V4L2Stream.minimumQueued else {
            stream.queue(buffer.index)
            dropped += 1
            return nil
        }
        return video(in: buffer)
    }

    private func video(in buffer: V4L2Stream.Filled) -> CapturedVideo? {
        let release: @Sendable () -> Void = { [stream] in stream.queue(buffer.index) }
        let bytes = stream.memory(of: buffer)
        let stride = Int(format.bytesperline) > 0 ? Int(format.bytesperline) : size.width
        switch fourCC {
        case .nv12, .yu12:
            let needed = stride * size.height * 3 / 2
            guard bytes.count >= needed, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return refuse(release)
            }
            let luma = PicturePlane(base: base, stride: stride)
            let chroma = base + stride * size.height
            let planes =
                fourCC == .nv12
                ? [luma, PicturePlane(base: chroma, stride: stride)]
                : [
                    luma, PicturePlane(base: chroma, stride: stride / 2),
                    PicturePlane(base: chroma + stride / 2 * (size.height / 2), stride: stride / 2),
                ]
            return .picture(
                Picture(
                    format: fourCC == .nv12 ? .nv12 : .i420, size: size, planes: planes, time: buffer.time,
                    onRelease: release))
        case .h264:
            defer { release() }
            return .h264(CameraAccessUnit(annexB: Array(bytes), size: size, time: buffer.time))
        default:
            let raw: RawFormat = fourCC == .yuyv ? .yuyv : fourCC == .uyvy ? .uyvy : .mjpeg
            return .raw(
                RawPicture(
                    format: raw, size: size, bytes: UnsafeRawBufferPointer(bytes), stride: stride, time: buffer.time,
                    onRelease: release))
        }
    }

    private func refuse(_ release: () -> Void) -> CapturedVideo? {
        release()
        dropped += 1
        return nil
    }
}

extension Double {
    /// Without a needless ".0".
    fileprivate var formatted: String { self == rounded() ? String(Int(self)) : String(self) }
}
