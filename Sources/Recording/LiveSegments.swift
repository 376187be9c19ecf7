import Synchronization

/// How far the segments have come that are being written, for those who read the index meanwhile.
package final class LiveSegments: Sendable {
    package struct Progress: Sendable, Hashable {
        /// Bytes that are safe on the disk and hold whole fragments.
        package let length: Int64
        /// Milliseconds since 1970, UTC.
        package let end: Int64
    }

    private let state = Mutex<[Int64: Progress]>([:])

    package init() {}

    func set(_ segment: GrowingSegment) {
        let progress = Progress(length: segment.length, end: segment.end)
        state.withLock { $0[segment.row.id] = progress }
    }

    func remove(_ segment: GrowingSegment) { state.withLock { _ = $0.removeValue(forKey: segment.row.id) } }

    /// Nil for a segment that is not being written.
    package subscript(id: Int64) -> Progress? { state.withLock { $0[id] } }
}
