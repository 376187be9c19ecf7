import Synchronization

/// Picture memory that is used again: after the first few pictures nothing is allocated.
///
/// The pool grows to as many pictures as are held at once, up to `limit`; past that `take` says no, and the caller
/// drops a picture. Safe to use from any thread.
package final class PicturePool: Sendable {
    package let size: PictureSize
    package let format: PixelFormat
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var free: [Block] = []
        var made = 0
    }

    /// Memory of one picture. Lines start at multiples of 64 bytes, which SIMD code likes.
    private final class Block: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        init(bytes: Int) { memory = .allocate(byteCount: bytes, alignment: 64) }
        deinit { memory.deallocate() }
    }

    package init(size: PictureSize, format: PixelFormat = .i420, limit: Int = 8) {
        self.size = size
        self.format = format
        self.limit = limit
    }

    private var lumaStride: Int { (size.width + 63) & ~63 }
    private var chromaStride: Int { format == .nv12 ? lumaStride : ((size.width + 1) / 2 + 63) & ~63 }
    private var chromaPlanes: Int { format == .nv12 ? 1 : 2 }
    private var chromaHeight: Int { (size.height + 1) / 2 }

    /// A picture with undefined pixels, or nil when `limit` pictures are out.
    package func take(time: MediaTime) -> Picture? {
        let bytes = lumaStride * size.height + chromaPlanes * chromaStride * chromaHeight
        let block: Block? = state.withLock { state in
            if let block = state.free.popLast() { return block }
            guard state.made < limit else { return nil }
            state.made += 1
            return Block(bytes: bytes)
        }
        guard let block else { return nil }
        let luma = block.memory.assumingMemoryBound(to: UInt8.self)
        var planes = [PicturePlane(base: luma, stride: lumaStride)]
        for plane in 0..<chromaPlanes {
            let start = luma + lumaStride * size.height + plane * chromaStride * chromaHeight
            planes.append(PicturePlane(base: start, stride: chromaStride))
        }
        return Picture(format: format, size: size, planes: planes, time: time) { [self] in
            state.withLock { $0.free.append(block) }
        }
    }
}
