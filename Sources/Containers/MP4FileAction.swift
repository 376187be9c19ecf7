import NIOCore

/// What the owner of a recording's file does for the formats, in the order given.
package enum MP4FileAction: Sendable, Hashable {
    /// At the end of the file; never more than `MP4.maximumBuffers` buffers, so that one vectored write takes them.
    case append([ByteBuffer])
    /// Inside what is written already; the file's length stays.
    case overwrite(offset: Int64, ByteBuffer)
    /// Cuts the file off.
    case truncate(length: Int64)
    /// Everything before is on the disk before anything after.
    case sync
}
