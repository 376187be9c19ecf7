import Synchronization

/// Who reads which file. A file that is deleted while somebody reads it frees its room only when it is let go, and
/// retention must not delete more in its stead.
package final class SegmentReaders: Sendable {
    private struct Entry: Sendable {
        var readers = 0
        var size: Int64 = 0
        var isDeleted = false
    }

    private let entries = Mutex<[Int64: Entry]>([:])

    package init() {}

    func opened(id: Int64) { entries.withLock { $0[id, default: Entry()].readers += 1 } }

    func closed(id: Int64) {
        entries.withLock { entries in
            guard var entry = entries[id] else { return }
            entry.readers -= 1
            entries[id] = entry.readers > 0 ? entry : nil
        }
    }

    func deleted(_ segment: Segment) {
        entries.withLock { entries in
            guard entries[segment.id] != nil else { return }
            entries[segment.id]?.isDeleted = true
            entries[segment.id]?.size = segment.size
        }
    }

    /// Bytes that will be free once their readers are gone.
    var pendingBytes: Int64 {
        entries.withLock { $0.values.reduce(0) { $0 + ($1.isDeleted ? $1.size : 0) } }
    }
}
