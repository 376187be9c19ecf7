/// Width and height in pixels.
package struct PictureSize: Hashable, Sendable, CustomStringConvertible {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    package var description: String { "\(width)x\(height)" }
    package var pixels: Int { width * height }

    /// 4:2:0 pictures have even sides; the largest such size that fits into this one.
    package var even: PictureSize { .init(width: width & ~1, height: height & ~1) }
}

/// How the pixels of a picture in memory are laid out. The encoder takes these two as they are.
package enum PixelFormat: Sendable {
    /// Three planes Y, U, V; chroma halved both ways (V4L2: YU12).
    case i420
    /// A plane Y and a plane of U and V in turn; chroma halved both ways (V4L2: NV12).
    case nv12
}

/// One plane of a picture: where its first byte is and how far apart its lines are.
package struct PicturePlane: @unchecked Sendable {
    package let base: UnsafeMutablePointer<UInt8>
    package let stride: Int

    package init(base: UnsafeMutablePointer<UInt8>, stride: Int) {
        self.base = base
        self.stride = stride
    }
}

/// A picture in memory that belongs to somebody else: a driver's buffer or a pool.
///
/// Whoever drops the last reference gives the memory back (`onRelease`), from whatever thread that is. The pixels may
/// be written by one thread before the picture is handed on (text is drawn then), and are only read afterwards.
package final class Picture: @unchecked Sendable {
    package let format: PixelFormat
    package let size: PictureSize
    package let planes: [PicturePlane]
    /// When the picture was captured, on the monotonic clock.
    package let time: MediaTime
    private let onRelease: @Sendable () -> Void

    package init(
        format: PixelFormat, size: PictureSize, planes: [PicturePlane], time: MediaTime,
        onRelease: @escaping @Sendable () -> Void
    ) {
        self.format = format
        self.size = size
        self.planes = planes
        self.time = time
        self.onRelease = onRelease
    }

    deinit { onRelease() }
}
