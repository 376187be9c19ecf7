import CTurboJPEG
import CYUV
import Media

/// JPEG images of pictures, through libjpeg-turbo.
package enum JPEGEncoder {
    package enum Failure: Error {
        case noMemory
        case failed(String)
    }

    /// - Parameter quality: 1 to 100.
    package static func encode(_ picture: Picture, quality: Int = 85) throws(Failure) -> [UInt8] {
        switch picture.format {
        case .i420: return try encodeI420(picture, quality: quality)
        case .nv12:
            guard let planar = PicturePool(size: picture.size, limit: 1).take(time: picture.time) else {
                throw .noMemory
            }
            let (s, t) = (picture.planes, planar.planes)
            NV12ToI420(
                s[0].base, Int32(s[0].stride), s[1].base, Int32(s[1].stride), t[0].base, Int32(t[0].stride), t[1].base,
                Int32(t[1].stride), t[2].base, Int32(t[2].stride), Int32(picture.size.width),
                Int32(picture.size.height))
            return try encodeI420(planar, quality: quality)
        }
    }

    private static func encodeI420(_ picture: Picture, quality: Int) throws(Failure) -> [UInt8] {
        guard let compressor = tjInitCompress() else { throw .noMemory }
        defer { tjDestroy(compressor) }
        var planes = picture.planes.map { UnsafePointer<UInt8>?($0.base) }
        var strides = picture.planes.map { Int32($0.stride) }
        var image: UnsafeMutablePointer<UInt8>?
        var length: UInt = 0
        defer { tjFree(image) }
        let result = tjCompressFromYUVPlanes(
            compressor, &planes, Int32(picture.size.width), &strides, Int32(picture.size.height),
            Int32(TJSAMP_420.rawValue), &image, &length, Int32(quality), 0)
        guard result == 0, let image else {
            throw .failed(String(cString: tjGetErrorStr2(compressor)))
        }
        return Array(UnsafeBufferPointer(start: image, count: Int(length)))
    }
}
