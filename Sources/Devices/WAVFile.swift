import Containers
import Glibc
import Media

/// Reads the samples of a 16-bit WAV file.
package final class WAVFile {
    package let header: WAVHeader
    package let path: String
    private let descriptor: Int32

    package init(path: String) throws(DeviceError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DeviceError(.absent, device: path, action: "opening the file", errno: errno)
        }
        var bytes = [UInt8](repeating: 0, count: WAVHeader.maximumLength)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        do {
            header = try WAVHeader(bytes: Array(bytes.prefix(max(count, 0))))
        } catch {
            close(descriptor)
            throw DeviceError(.unsupported, device: path, action: "reading its header", reason: "\(error)")
        }
        self.path = path
        self.descriptor = descriptor
        rewind()
    }

    deinit { close(descriptor) }

    package func rewind() { lseek(descriptor, off_t(header.dataOffset), SEEK_SET) }

    /// Up to `count` samples per channel, interleaved; empty at the end.
    package func read(count: Int) -> [Int16] {
        var samples = [Int16](repeating: 0, count: count * header.channels)
        let end = header.dataOffset + header.dataLength
        let bytes = samples.withUnsafeMutableBytes { memory in
            Glibc.read(
                descriptor, memory.baseAddress, min(memory.count, max(end - Int(lseek(descriptor, 0, SEEK_CUR)), 0)))
        }
        let whole = max(bytes, 0) / (2 * header.channels) * header.channels
        samples.removeLast(samples.count - whole)
        return samples
    }
}
