import Containers
import NIOCore
import Recording
import Synchronization
import TestSupport

/// A disk in memory that forgets, as disks do: what was written and not synced may be there after a power cut, or not,
/// or in part, or as rubbish; names in folders likewise. Which of these is decided by a seed.
///
/// Every change counts as one operation, so that the power can be cut at each of them in turn.
final class LyingStore: FileStore {
    /// What goes wrong besides power cuts.
    enum Fault {
        case error(StorageFailure.Kind)
        /// Writes are refused, reads work.
        case readOnly
    }

    fileprivate final class Node {
        enum Change {
            case write(offset: Int, new: [UInt8], old: [UInt8], oldLength: Int)
            case truncate(to: Int, old: [UInt8])
        }

        enum Naming {
            case add(String, Node)
            case remove(String, Node)
        }

        let isFolder: Bool
        var bytes: [UInt8] = []
        var changes: [Change] = []
        var names: [String: Node] = [:]
        var namings: [Naming] = []

        init(isFolder: Bool) { self.isFolder = isFolder }
    }

    private let root = Node(isFolder: true)
    fileprivate var random: SplitMix64
    private let capacity: Int
    fileprivate(set) var used = 0
    private(set) var operations = 0
    private(set) var syncs = 0
    private(set) var bytesWritten = 0
    /// The power goes at this operation.
    var cutAt: Int?
    private(set) var isOff = false
    var fault: Fault?
    /// Called at the moment of the cut.
    var onCut: () -> Void = {}

    init(seed: UInt64 = 0, capacity: Int = 1 << 34) {
        random = SplitMix64(state: seed)
        self.capacity = capacity
    }

    // MARK: Faults

    /// To be called first by everything that changes something.
    /// - Returns: true where the power goes just after this operation.
    fileprivate func begin(_ action: String) throws(StorageFailure) -> Bool {
        try check()
        if case .readOnly = fault { throw StorageFailure(.readOnly, "\(action): read-only") }
        operations += 1
        guard operations == cutAt else { return false }
        isOff = true
        onCut()
        return true
    }

    fileprivate func end(_ isCut: Bool) throws(StorageFailure) {
        if isCut { throw Self.powerIsOff }
    }

    fileprivate func check() throws(StorageFailure) {
        if isOff { throw Self.powerIsOff }
        if case .error(let kind) = fault { throw StorageFailure(kind, "as the test wants it") }
    }

    private static let powerIsOff = StorageFailure(.failed, "the power is off")

    /// Room for a file to grow; nothing of a write that does not fit is written.
    fileprivate func take(_ bytes: Int) throws(StorageFailure) {
        guard used + bytes <= capacity else { throw StorageFailure(.full, "no room") }
        used += bytes
        bytesWritten += max(0, bytes)
    }

    /// The disk as it is when the power is back.
    func powerOn() {
        forget(root)
        used = Self.size(root)
        isOff = false
        cutAt = nil
        operations = 0
    }

    private static func size(_ node: Node) -> Int {
        node.isFolder ? node.names.values.reduce(0) { $0 + size($1) } : node.bytes.count
    }

    private func forget(_ node: Node) {
        guard node.isFolder else { return forgetContent(node) }
        for naming in node.namings.reversed() {
            switch naming {
            case .add(let name, _): node.names[name] = nil
            case .remove(let name, let old): node.names[name] = old
            }
        }
        for naming in node.namings where random.below(2) == 0 {
            switch naming {
            case .add(let name, let new): node.names[name] = new
            case .remove(let name, _): node.names[name] = nil
            }
        }
        node.namings = []
        for name in node.names.keys.sorted() { if let child = node.names[name] { forget(child) } }
    }

    private func forgetContent(_ node: Node) {
        for change in node.changes.reversed() {
            switch change {
            case .write(let offset, _, let old, let oldLength):
                node.bytes.replaceSubrange(offset..<offset + old.count, with: old)
                node.bytes.removeSubrange(oldLength...)
            case .truncate(let length, let old):
                node.bytes.removeSubrange(length...)
                node.bytes += old
            }
        }
        for change in node.changes {
            let kept = random.below(4)
            switch change {
            case .write(let offset, var new, _, _):
                if kept == 0 { continue }
                if kept == 1 { new.removeSubrange(random.below(new.count)...) }
                if kept == 2, !new.isEmpty {
                    let start = random.below(new.count)
                    for index in start..<min(new.count, start + 512) {
                        new[index] = UInt8(truncatingIfNeeded: random.next())
                    }
                }
                Self.put(new, at: offset, into: node)
            case .truncate(let length, _):
                if kept < 2, length < node.bytes.count { node.bytes.removeSubrange(length...) }
            }
        }
        node.changes = []
    }

    fileprivate static func put(_ new: [UInt8], at offset: Int, into node: Node) {
        if node.bytes.count < offset + new.count {
            node.bytes += [UInt8](repeating: 0, count: offset + new.count - node.bytes.count)
        }
        node.bytes.replaceSubrange(offset..<offset + new.count, with: new)
    }

    // MARK: Paths

    private func node(_ path: String) -> Node? {
        path.split(separator: "/").reduce(root) { $0?.names[String($1)] }
    }

    private func place(_ path: String) throws(StorageFailure) -> (folder: Node, name: String) {
        let parts = path.split(separator: "/")
        guard let name = parts.last, let folder = node(parts.dropLast().joined(separator: "/")) else {
            throw StorageFailure(.noSuchFile, path)
        }
        return (folder, String(name))
    }

    /// All files, by path; for tests to look.
    var files: [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        func walk(_ node: Node, _ path: String) {
            for (name, child) in node.names {
                let childPath = path.isEmpty ? name : "\(path)/\(name)"
                if child.isFolder { walk(child, childPath) } else { all[childPath] = child.bytes }
            }
        }
        walk(root, "")
        return all
    }

    /// Changes a file behind recording's back.
    func tamper(_ path: String, _ change: (inout [UInt8]) -> Void) {
        if let node = node(path) { change(&node.bytes) }
    }

    /// Removes a file behind recording's back.
    func lose(_ path: String) {
        guard let (folder, name) = try? place(path) else { return }
        used -= folder.names[name].map(Self.size) ?? 0
        folder.names[name] = nil
    }

    /// Puts a file there behind recording's back.
    func plant(_ path: String, _ bytes: [UInt8]) {
        guard let (folder, name) = try? place(path) else { return }
        let node = Node(isFolder: false)
        node.bytes = bytes
        used += bytes.count
        folder.names[name] = node
    }

    // MARK: FileStore

    func create(_ path: String) throws(StorageFailure) -> any StoredFile {
        let isCut = try begin("create")
        let (folder, name) = try place(path)
        guard folder.names[name] == nil else { throw StorageFailure(.fileExists, path) }
        let node = Node(isFolder: false)
        folder.names[name] = node
        folder.namings.append(.add(name, node))
        try end(isCut)
        return LyingFile(node: node, store: self)
    }

    func open(_ path: String, forWriting: Bool) throws(StorageFailure) -> any StoredFile {
        try check()
        guard let node = node(path), !node.isFolder else { throw StorageFailure(.noSuchFile, path) }
        return LyingFile(node: node, store: self)
    }

    func remove(_ path: String) throws(StorageFailure) {
        let isCut = try begin("remove")
        guard let (folder, name) = try? place(path), let node = folder.names[name] else { return try end(isCut) }
        used -= Self.size(node)
        folder.names[name] = nil
        folder.namings.append(.remove(name, node))
        try end(isCut)
    }

    func makeFolder(_ path: String) throws(StorageFailure) {
        let isCut = try begin("make folder")
        let (folder, name) = try place(path)
        if folder.names[name] == nil {
            let node = Node(isFolder: true)
            folder.names[name] = node
            folder.namings.append(.add(name, node))
        }
        try end(isCut)
    }

    func removeFolder(_ path: String) throws(StorageFailure) {
        let isCut = try begin("remove folder")
        if let (folder, name) = try? place(path), let node = folder.names[name], node.names.isEmpty {
            folder.names[name] = nil
            folder.namings.append(.remove(name, node))
        }
        try end(isCut)
    }

    func list(_ folder: String) throws(StorageFailure) -> [FileEntry] {
        try check()
        return (node(folder)?.names ?? [:]).map {
            FileEntry(name: $0, isFolder: $1.isFolder, size: Int64($1.bytes.count))
        }
    }

    func syncFolder(_ path: String) throws(StorageFailure) {
        let isCut = try begin("sync folder")
        syncs += 1
        guard let node = node(path) else { throw StorageFailure(.noSuchFile, path) }
        // When the power goes meanwhile, nobody knows how far it came.
        if !isCut { node.namings = [] }
        try end(isCut)
    }

    func space() throws(StorageFailure) -> DiskSpace {
        try check()
        return DiskSpace(total: Int64(capacity), available: Int64(max(0, capacity - used)))
    }

    func checkIsThere() throws(StorageFailure) { try check() }

    // MARK: Files' doings

    fileprivate func write(_ new: [UInt8], at offset: Int, to node: Node) throws(StorageFailure) {
        let isCut = try begin("write")
        try take(max(0, offset + new.count - node.bytes.count))
        let overlap = offset < node.bytes.count ? offset..<min(node.bytes.count, offset + new.count) : 0..<0
        node.changes.append(
            .write(offset: offset, new: new, old: Array(node.bytes[overlap]), oldLength: node.bytes.count))
        Self.put(new, at: offset, into: node)
        try end(isCut)
    }

    fileprivate func truncate(_ node: Node, to length: Int) throws(StorageFailure) {
        let isCut = try begin("truncate")
        if length < node.bytes.count {
            node.changes.append(.truncate(to: length, old: Array(node.bytes[length...])))
            used -= node.bytes.count - length
            node.bytes.removeSubrange(length...)
        }
        try end(isCut)
    }

    fileprivate func sync(_ node: Node) throws(StorageFailure) {
        let isCut = try begin("sync")
        syncs += 1
        if !isCut { node.changes = [] }
        try end(isCut)
    }
}

/// A file of a `LyingStore`; for one thread, as the tests are.
private final class LyingFile: StoredFile, @unchecked Sendable {
    let node: LyingStore.Node
    let store: LyingStore

    init(node: LyingStore.Node, store: LyingStore) {
        self.node = node
        self.store = store
    }

    func write(_ buffers: [ByteBuffer], at offset: Int64) throws(StorageFailure) {
        var bytes: [UInt8] = []
        for buffer in buffers { bytes += buffer.readableBytesView }
        try store.write(bytes, at: Int(offset), to: node)
    }

    func read(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer {
        try store.check()
        let start = min(Int(offset), node.bytes.count)
        return ByteBuffer(bytes: node.bytes[start..<min(node.bytes.count, start + count)])
    }

    func readFromDisk(at offset: Int64, count: Int) throws(StorageFailure) -> ByteBuffer {
        try read(at: offset, count: count)
    }

    func length() throws(StorageFailure) -> Int64 {
        try store.check()
        return Int64(node.bytes.count)
    }

    func truncate(to length: Int64) throws(StorageFailure) { try store.truncate(node, to: Int(length)) }
    func sync() throws(StorageFailure) { try store.sync(node) }
}
