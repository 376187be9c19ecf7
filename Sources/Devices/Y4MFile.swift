import Containers
import Glibc
import Media

/// Reads the pictures of a YUV4MPEG2 file one after the other, straight into picture memory.
package final class Y4MFile {
    package let header: Y4MHeader
    package let path: String
    private let descriptor: Int32
    private let firstPicture: off_t

    package init(path: String) throws(DeviceError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DeviceError(.absent, device: path, action: "opening the file", errno: errno)
        }
        guard let line = Self.readLine(descriptor, limit: Y4MHeader.maximumLength) else {
            close(descriptor)
            throw DeviceError(.unsupported, device: path, action: "reading its header", reason: "this is no Y4M file")
        }
        do {
            header = try Y4MHeader(line: line)
        } catch {
            close(descriptor)
            throw DeviceError(.unsupported, device: path, action: "reading its header", reason: "\(error)")
        }
        self.path = path
        self.descriptor = descriptor
        firstPicture = lseek(descriptor, 0, SEEK_CUR)
    }

    deinit { close(descriptor) }

    package func rewind() { lseek(descriptor, firstPicture, SEEK_SET) }

    /// Fills an I420 picture of the file's size. False at the end of the file, and where it breaks off.
    package func read(into picture: Picture) -> Bool {
        guard let line = Self.readLine(descriptor, limit: 256), line.hasPrefix("FRAME") else { return false }
        for (index, plane) in picture.planes.enumerated() {
            let width = index == 0 ? picture.size.width : picture.size.width / 2
            let height = index == 0 ? picture.size.height : picture.size.height / 2
            if plane.stride == width {
                guard Self.readFully(descriptor, plane.base, width * height) else { return false }
            } else {
                guard readLines(into: plane, width: width, height: height) else { return false }
            }
        }
        return true
    }

    /// Lines of the file lie close together, those of a picture may not: one system call for many of them.
    private func readLines(into plane: PicturePlane, width: Int, height: Int) -> Bool {
        var row = 0
        while row < height {
            let count = min(height - row, 512)
            var parts = (0..<count).map { iovec(iov_base: plane.base + (row + $0) * plane.stride, iov_len: width) }
            let bytes = readv(descriptor, &parts, Int32(count))
            // A file gives all that is asked for, or it ends here.
            guard bytes == width * count else { return false }
            row += count
        }
        return true
    }

    private static func readFully(_ descriptor: Int32, _ memory: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool {
        var done = 0
        while done < count {
            let bytes = Glibc.read(descriptor, memory + done, count - done)
            if bytes < 0, errno == EINTR { continue }
            guard bytes > 0 else { return false }
            done += bytes
        }
        return true
    }

    /// The text up to the next line feed, which is consumed.
    private static func readLine(_ descriptor: Int32, limit: Int) -> String? {
        let start = lseek(descriptor, 0, SEEK_CUR)
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = Glibc.read(descriptor, &bytes, limit)
        guard count > 0, let end = bytes[..<count].firstIndex(of: 10) else { return nil }
        lseek(descriptor, start + off_t(end) + 1, SEEK_SET)
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
