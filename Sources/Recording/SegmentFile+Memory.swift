import Glibc

extension SegmentFile {
    private static let pageBytes: Int64 = 4096

    /// Waits until a part of the file is in the kernel's memory, so that whoever sends it next waits for no disk. Copies
    /// nothing but a byte of each page.
    package func bringIntoMemory(at offset: Int64, count: Int64) {
        guard let descriptor, count > 0 else { return }
        posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_WILLNEED)
        var byte: UInt8 = 0
        for position in stride(from: offset, to: offset + count, by: Int64.Stride(Self.pageBytes)) {
            // Where the disk fails, sending will say so.
            guard pread(descriptor, &byte, 1, off_t(position)) == 1 else { return }
        }
        pread(descriptor, &byte, 1, off_t(offset + count - 1))
    }
}
