import NIOCore

/// A file that only takes up room. On a disk that others filled to the last byte it is let go, so that the index has
/// the little room it needs to delete something.
struct Ballast {
    static let path = "ballast"
    static let length = 1 << 20

    let store: any FileStore

    /// Also the first thing that is written, so a disk that takes nothing is known by it.
    func hold() throws(StorageFailure) {
        do throws(StorageFailure) {
            let file = try store.open(Self.path, forWriting: true)
            if try file.length() >= Self.length { return }
            try fill(file)
        } catch  where error.kind == .noSuchFile {
            try fill(try store.create(Self.path))
            try store.syncFolder("")
        }
    }

    private func fill(_ file: any StoredFile) throws(StorageFailure) {
        try file.write([ByteBuffer(repeating: 0, count: Self.length)], at: 0)
        try file.sync()
    }

    func release() throws(StorageFailure) {
        try store.remove(Self.path)
        try store.syncFolder("")
    }
}
