import Glibc

extension SegmentFile {
    /// Where bytes vanish.
    private static let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)

    /// Waits until a part of the file is in the kernel's memory, so that whoever sends it next waits for no disk. Copies
    /// nothing: it is sent the same way, to nowhere.
    package func bringIntoMemory(at offset: Int64, count: Int64) {
        guard let descriptor else { return }
        var position = off_t(offset)
        let end = position + off_t(count)
        while position < end {
            // Where the disk fails, sending will say so.
            guard sendfile(Self.nowhere, descriptor, &position, Int(end - position)) > 0 else { return }
        }
    }
}
