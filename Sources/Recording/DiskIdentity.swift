import Containers
import Glibc
import NIOCore

/// A file on the disk that says which disk it is. Where the disk that the agent remembers is not there, the folder is
/// an empty mount point or another disk, and nothing is written to it.
package struct DiskIdentity {
    static let path = "disk-identity"
    private static let head = "edge-agent disk 1\n"
    private static let maximumLength = 256

    /// Where the agent remembers which disk is its own: a path outside the disk.
    let memory: String

    package init(memory: String) { self.memory = memory }

    /// Checks the disk behind `store`; a new disk is given an identity where none is remembered.
    package func verify(_ store: any FileStore) throws(StorageFailure) {
        let found = try read(store)
        let remembered = try remembered()
        switch (found, remembered) {
        case (let found?, let remembered?):
            guard found == remembered else {
                throw StorageFailure(
                    .missing, "another disk is there, \(found), not \(remembered); remove \(memory) to take it")
            }
        case (nil, let remembered?):
            throw StorageFailure(
                .missing, "the disk \(remembered) is not there; mount it, or remove \(memory) to begin a new one")
        case (let found?, nil): try remember(found)
        case (nil, nil):
            let new = UniqueID.random()
            try write(new, to: store)
            try remember(new)
        }
    }

    /// No disk is remembered yet.
    var isNew: Bool { get throws(StorageFailure) { try remembered() == nil } }

    // MARK: On the disk

    private func read(_ store: any FileStore) throws(StorageFailure) -> UniqueID? {
        let file: any StoredFile
        do throws(StorageFailure) {
            file = try store.open(Self.path, forWriting: false)
        } catch  where error.kind == .noSuchFile {
            return nil
        }
        let text = String(buffer: try file.read(at: 0, count: Self.maximumLength))
        // A power cut while it was made leaves it empty or garbled; there was no footage then.
        return Self.parse(text)
    }

    private func write(_ identity: UniqueID, to store: any FileStore) throws(StorageFailure) {
        try store.remove(Self.path)
        let file = try store.create(Self.path)
        try file.write([ByteBuffer(string: Self.text(identity))], at: 0)
        try file.sync()
        try store.syncFolder("")
    }

    private static func text(_ identity: UniqueID) -> String { "\(head)\(identity)\n" }

    private static func parse(_ text: String) -> UniqueID? {
        guard text.hasPrefix(head) else { return nil }
        return UniqueID(text.dropFirst(head.count).prefix { $0 != "\n" })
    }

    // MARK: In the agent's own state

    private func remembered() throws(StorageFailure) -> UniqueID? {
        let descriptor = open(memory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StorageFailure("opening", memory, errno: errno)
        }
        let bytes = try DescriptorFile(descriptor: descriptor, path: memory).read(at: 0, count: Self.maximumLength)
        return Self.parse(String(buffer: bytes))
    }

    private func remember(_ identity: UniqueID) throws(StorageFailure) {
        let temporary = memory + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageFailure("making", temporary, errno: errno) }
        let file = DescriptorFile(descriptor: descriptor, path: temporary)
        try file.write([ByteBuffer(string: Self.text(identity))], at: 0)
        try file.sync()
        guard rename(temporary, memory) == 0 else { throw StorageFailure("replacing", memory, errno: errno) }
    }
}
