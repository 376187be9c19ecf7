import NIOCore

package enum MediaKind: Sendable, Hashable {
    case video
    case audio
}

/// One encoded picture or sound frame. Immutable once made; copies share the bytes.
package struct EncodedFrame: Sendable {
    package let kind: MediaKind
    /// True for a picture that decoding can start at (IDR), and for every sound frame.
    package let isKey: Bool
    /// When the first pixel or sample was captured, on the monotonic clock.
    package let time: MediaTime
    /// H.264: NAL units, each behind its length in four bytes (ISO/IEC 14496-15, 5.3.4.2), parameter sets left out.
    /// AAC: one raw frame.
    package var data: ByteBuffer

    package init(kind: MediaKind, isKey: Bool, time: MediaTime, data: ByteBuffer) {
        self.kind = kind
        self.isKey = isKey
        self.time = time
        self.data = data
    }

    /// Free bytes an encoder leaves in front of `data`, so that a container puts its header there and copies nothing.
    package static let headroom = 16
    /// Free bytes an encoder leaves behind `data`.
    package static let tailroom = 4

    /// An empty buffer with both rooms left free, for `capacity` bytes of data.
    package static func makeBuffer(capacity: Int, allocator: ByteBufferAllocator = .init()) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: headroom + capacity + tailroom)
        buffer.moveWriterIndex(to: headroom)
        buffer.moveReaderIndex(to: headroom)
        return buffer
    }
}
