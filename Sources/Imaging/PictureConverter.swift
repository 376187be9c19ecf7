import CYUV
import Media

/// How the bytes of a captured picture are laid out when they are neither I420 nor NV12.
package enum RawFormat: Sendable {
    /// Packed 4:2:2, Y U Y V (V4L2: YUYV).
    case yuyv
    /// Packed 4:2:2, U Y V Y (V4L2: UYVY).
    case uyvy
    /// A JPEG image.
    case mjpeg
}

/// Conversion and scaling with libyuv. All functions block for as long as the pixels take.
package enum PictureConverter {
    /// Turns `bytes` into the I420 picture `target` of the same size. False where the bytes are broken or too few.
    package static func convert(
        _ bytes: UnsafeRawBufferPointer, stride: Int, format: RawFormat, into target: Picture
    ) -> Bool {
        guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress, target.format == .i420 else {
            return false
        }
        let (y, u, v) = (target.planes[0], target.planes[1], target.planes[2])
        let (width, height) = (Int32(target.size.width), Int32(target.size.height))
        switch format {
        case .yuyv, .uyvy:
            guard stride >= 2 * target.size.width,
                bytes.count >= stride * (target.size.height - 1) + 2 * target.size.width
            else { return false }
            let function = format == .yuyv ? YUY2ToI420 : UYVYToI420
            return function(
                base, Int32(stride), y.base, Int32(y.stride), u.base, Int32(u.stride), v.base, Int32(v.stride), width,
                height) == 0
        case .mjpeg:
            return MJPGToI420(
                base, bytes.count, y.base, Int32(y.stride), u.base, Int32(u.stride), v.base, Int32(v.stride), width,
                height, width, height) == 0
        }
    }

    /// Scales `source` into `target`, a picture of the same pixel format. Box filter: sharp and calm when shrinking.
    package static func scale(_ source: Picture, into target: Picture) -> Bool {
        guard source.format == target.format else { return false }
        let (s, t) = (source.planes, target.planes)
        let (sw, sh) = (Int32(source.size.width), Int32(source.size.height))
        let (tw, th) = (Int32(target.size.width), Int32(target.size.height))
        switch source.format {
        case .i420:
            return I420Scale(
                s[0].base, Int32(s[0].stride), s[1].base, Int32(s[1].stride), s[2].base, Int32(s[2].stride), sw, sh,
                t[0].base, Int32(t[0].stride), t[1].base, Int32(t[1].stride), t[2].base, Int32(t[2].stride), tw, th,
                kFilterBox) == 0
        case .nv12:
            return NV12Scale(
                s[0].base, Int32(s[0].stride), s[1].base, Int32(s[1].stride), sw, sh, t[0].base, Int32(t[0].stride),
                t[1].base, Int32(t[1].stride), tw, th, kFilterBox) == 0
        }
    }

    /// Writes `source` into `target`, a picture of the same size and pixel format, turned.
    package static func turn(_ source: Picture, _ orientation: PictureOrientation, into target: Picture) -> Bool {
        guard source.format == target.format, source.size == target.size else { return false }
        guard orientation != .normal else {
            copy(source, into: target)
            return true
        }
        let (s, t) = (source.planes, target.planes)
        let width = Int32(source.size.width)
        // A negative height turns upside down on the way.
        let height = Int32(source.size.height) * (orientation == .flip ? -1 : 1)
        switch source.format {
        case .i420:
            return I420Mirror(
                s[0].base, Int32(s[0].stride), s[1].base, Int32(s[1].stride), s[2].base, Int32(s[2].stride), t[0].base,
                Int32(t[0].stride), t[1].base, Int32(t[1].stride), t[2].base, Int32(t[2].stride), width, height) == 0
        case .nv12:
            return NV12Mirror(
                s[0].base, Int32(s[0].stride), s[1].base, Int32(s[1].stride), t[0].base, Int32(t[0].stride), t[1].base,
                Int32(t[1].stride), width, height) == 0
        }
    }

    /// Copies `source` into `target`, a picture of the same size and pixel format.
    package static func copy(_ source: Picture, into target: Picture) {
        guard source.format == target.format, source.size == target.size else { return }
        let (width, height) = (Int32(source.size.width), Int32(source.size.height))
        for (index, (s, t)) in zip(source.planes, target.planes).enumerated() {
            let chroma = index > 0
            // NV12's second plane has the same bytes a line as luma.
            let lineBytes = chroma && source.format == .i420 ? (width + 1) / 2 : width
            CopyPlane(
                s.base, Int32(s.stride), t.base, Int32(t.stride), lineBytes, chroma ? (height + 1) / 2 : height)
        }
    }
}
