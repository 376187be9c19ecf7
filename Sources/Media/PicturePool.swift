import Synchronization

/// Picture memory that is used again: after the first few pictures nothing is allocated.
///
/// The pool grows to as many pictures as are held at once, up to `limit`; past that `take` says no, and the caller
/// drops a picture. Safe to use from any thread.
package final class PicturePool: Sendable {
    package let size: PictureSize
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var free: [Block] = []
        var made = 0
    }

    /// Memory of one I420 picture. Lines start at multiples of 64 bytes, which SIMD code likes.
    private final class Block: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        init(bytes: Int) { memory = .allocate(byteCount: bytes, alignment: 64) }
        deinit { memory.deallocate() }
    }

    package init(size: PictureSize, limit: Int = 8) {
        self.size = size
        self.limit = limit
    }

    private var lumaStride: Int { (size.width + 63) & ~63 }
    private var chromaStride: Int { ((size.width + 1) / 2 + 63) & ~63 }
    private var chromaHeight: Int { (size.height + 1) / 2 }

    /// An I420 picture with undefined pixels, or nil when `limit` pictures are out.
    package func take(time: MediaTime) -> Picture? {
        let bytes = lumaStride * size.height + 2 * chromaStride * chromaHeight
        let block: Block? = state.withLock { state in
            if let block = state.free.popLast() { return block }
            guard state.made < limit else { return nil }
            state.made += 1
            return Block(bytes: bytes)
        }
        guard let block else { return nil }
        let luma = block.memory.assumingMemoryBound(to: UInt8.self)
        let u = luma + lumaStride * size.height
        let v = u + chromaStride * chromaHeight
        return Picture(
            format: .i420, size: size,
            planes: [
                PicturePlane(base: luma, stride: lumaStride), PicturePlane(base: u, stride: chromaStride),
                PicturePlane(base: v, stride: chromaStride),
            ],
            time: time
        ) { [self] in state.withLock { $0.free.append(block) } }
    }
}
