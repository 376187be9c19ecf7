import Glibc
import NIOCore

/// An open file of a real disk. Positions are given with each call, so that readers do not disturb one another.
package final class DescriptorFile: StoredFile {
    package let descriptor: Int32
    private let path: String

    /// How many pieces one system call takes: IOV_MAX of Linux.
    private static let maximumPieces = 1024

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    package func write(_ buffers: [ByteBuffer], at offset: Int64) throws(StorageFailure) {
        var offset = offset
        var rest = buffers[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.maximumPieces)
            offset += try writePieces(some, at: offset)
            rest = rest.dropFirst(some.count)
        }
    }

    private func writePieces(_ buffers: ArraySlice<ByteBuffer>, at offset: Int64) throws(StorageFailure) -> Int64 {
        var pieces: [iovec] = []
        pieces.reserveCapacity(buffers.count)
        var owners: [Unmanaged<AnyObject>] = []
        owners.reserveCapacity(buffers.count)
        // Held until all is written: nesting a closure for each of hundreds of buffers is no way.
        for buffer in buffers {
            buffer.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
                owners.append(storage.retain())
                pieces.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
            }
        }
        defer { for owner in owners { owner.release() } }
        var (first, written) = (0, 0)
        while first < pieces.count {
            let count = pieces.withUnsafeBufferPointer {
                pwritev(
                    descriptor, $0.baseAddress?.advanced(by: first), Int32(pieces.count - first),
                    off_t(offset) + off_t(written))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StorageFailure("writing", path, errno: errno) }
            written += count
            Self.drop(count, of: &pieces, from: &first)
        }
        return Int64(written)
    }

    /// Takes `count` bytes off the front of the pieces.
    private static func drop(_ count: Int, of pieces: inout [iovec], from first: inout Int) {
        var count = count
        while first < pieces.count, count >= pieces[first].iov_len {
            count -= pieces[first].iov_len
            first += 1
        }
        guard count > 0, first < pieces.count else { return }
        pieces[first].iov_base = pieces[first].iov_base?.advanced(by: count)
        pieces[first].iov_len -= count
    }

    package func read(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        var failure: Int32 = 0
        while buffer.readableBytes < count {
            let wanted = count - buffer.readableBytes
            let position = off_t(offset) + off_t(buffer.readableBytes)
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { room in
                let got = pread(descriptor, room.baseAddress, wanted, position)
                if got < 0 { failure = errno }
                return max(got, 0)
            }
            if failure == EINTR {
                failure = 0
                continue
            }
            guard failure == 0 else { throw StorageFailure("reading", path, errno: failure) }
            if got == 0 { break }
        }
        return buffer
    }

    package func readFromDisk(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer {
        posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED)
        return try read(at: offset, count: count)
    }

    package func length() throws(StorageFailure) -> Int64 {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw StorageFailure("looking at", path, errno: errno) }
        return Int64(info.st_size)
    }

    package func truncate(to length: Int64) throws(StorageFailure) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw StorageFailure("cutting", path, errno: errno) }
    }

    package func sync() throws(StorageFailure) {
        guard fdatasync(descriptor) == 0 else { throw StorageFailure("syncing", path, errno: errno) }
    }
}
