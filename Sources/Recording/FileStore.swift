import NIOCore

/// The few things recording does with files, so that tests can put a disk there that lies or dies. Paths are relative
/// to the store and made of names that recording made up itself, never of what came from outside.
///
/// All functions block; for one thread at a time, save for files, which may be read from any.
package protocol FileStore: AnyObject {
    /// Makes a file that must not exist yet. Its name is safe only after `syncFolder`.
    func create(_ path: String) throws(StorageFailure) -> any StoredFile
    func open(_ path: String, forWriting: Bool) throws(StorageFailure) -> any StoredFile
    /// A file that is not there is none to remove.
    func remove(_ path: String) throws(StorageFailure)
    /// A folder that is there already is fine.
    func makeFolder(_ path: String) throws(StorageFailure)
    /// A folder that is not there, or not empty, is left so.
    func removeFolder(_ path: String) throws(StorageFailure)
    /// What lies in a folder, in no order; nothing where it is not there. "" is the store's own folder.
    func list(_ folder: String) throws(StorageFailure) -> [FileEntry]
    /// Afterwards the names in this folder survive a power cut.
    func syncFolder(_ path: String) throws(StorageFailure)
    func space() throws(StorageFailure) -> DiskSpace
    /// Fails where the disk behind the store is gone or replaced.
    func checkIsThere() throws(StorageFailure)
}

/// A file that is open.
package protocol StoredFile: AnyObject, Sendable {
    /// Writes all of the buffers, one after the other; beyond the end the file grows.
    func write(_ buffers: [ByteBuffer], at offset: Int64) throws(StorageFailure)
    /// Fewer bytes than asked for at the end of the file.
    func read(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer
    /// The same, from the disk itself and not from the kernel's memory of it.
    func readFromDisk(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer
    func length() throws(StorageFailure) -> Int64
    func truncate(to length: Int64) throws(StorageFailure)
    /// Afterwards all that was written survives a power cut.
    func sync() throws(StorageFailure)
}

/// A name in a folder.
package struct FileEntry: Sendable, Hashable {
    package let name: String
    package let isFolder: Bool
    /// In bytes; 0 for folders.
    package let size: Int64

    package init(name: String, isFolder: Bool, size: Int64) {
        self.name = name
        self.isFolder = isFolder
        self.size = size
    }
}

/// How much a disk holds, in bytes.
package struct DiskSpace: Sendable, Hashable {
    package var total: Int64
    /// What the agent may still write.
    package var available: Int64

    package init(total: Int64, available: Int64) {
        self.total = total
        self.available = available
    }
}
