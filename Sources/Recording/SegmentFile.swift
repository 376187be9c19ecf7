import NIOCore

/// A segment's file, open for reading. It stays readable while somebody holds it, also where the segment is deleted
/// meanwhile; whoever reads it says so by holding it.
package final class SegmentFile: Sendable {
    package let segment: Segment
    /// Bytes that may be read: all of a closed segment, the whole fragments so far of one that grows.
    package let length: Int64
    private let file: any StoredFile
    private let readers: SegmentReaders

    init(segment: Segment, length: Int64, file: any StoredFile, readers: SegmentReaders) {
        self.segment = segment
        self.length = length
        self.file = file
        self.readers = readers
    }

    deinit { readers.closed(id: segment.id) }

    /// For system calls that move bytes without looking at them; nil where the file is none of the system's.
    package var descriptor: Int32? { (file as? DescriptorFile)?.descriptor }

    /// Blocks. Nil where the disk refuses, and beyond `length`.
    package func read(at offset: Int64, count: Int) -> ByteBuffer? {
        guard offset >= 0, count >= 0, offset <= length, Int64(count) <= length - offset,
            let bytes = try? file.read(at: offset, count: count), bytes.readableBytes == count
        else { return nil }
        return bytes
    }
}
