import Glibc

/// Tries a folder's disk: writes, reads back, compares. Blocks while the disk does.
package struct StorageProbe: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// Bytes a second each way.
        case works(written: Double, read: Double)
        /// What was read is not what was written.
        case forgets
        /// What the system says, by its number of errno(3), and while doing what.
        case refuses(Int32, action: String)
    }

    package var outcome: Outcome
    package var totalBytes: Int64 = 0
    package var freeBytes: Int64 = 0
    /// Files that may still be made; nil where the file system does not count them.
    package var freeFiles: Int64?
    package var isReadOnly = false

    package init(
        outcome: Outcome, totalBytes: Int64 = 0, freeBytes: Int64 = 0, freeFiles: Int64? = nil, isReadOnly: Bool = false
    ) {
        self.outcome = outcome
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
        self.freeFiles = freeFiles
        self.isReadOnly = isReadOnly
    }

    /// Of what is written. Small enough for an almost full disk, large enough to be timed.
    package static let bytes = 4 << 20
    private static let block = 256 << 10

    package static func run(folder: String) -> StorageProbe {
        var probe = StorageProbe(outcome: .refuses(0, action: ""))
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else {
            probe.outcome = .refuses(errno, action: "looking at the folder")
            return probe
        }
        probe.totalBytes = Int64(info.f_blocks) * Int64(info.f_frsize)
        probe.freeBytes = Int64(info.f_bavail) * Int64(info.f_frsize)
        probe.freeFiles = info.f_files > 0 ? Int64(info.f_favail) : nil
        probe.isReadOnly = info.f_flag & UInt(ST_RDONLY) != 0
        probe.outcome = tryOut(folder)
        return probe
    }

    private static func tryOut(_ folder: String) -> Outcome {
        let name = folder + "/.edge-agent-doctor"
        // Left behind by a power cut.
        unlink(name)
        let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return .refuses(errno, action: "making a file") }
        defer { close(file) }
        // It is gone with the descriptor, whatever happens.
        unlink(name)

        let start = now()
        for index in 0..<(bytes / block) {
            let block = pattern(index)
            let count = block.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count == block.count else { return .refuses(count < 0 ? errno : ENOSPC, action: "writing") }
        }
        guard fsync(file) == 0 else { return .refuses(errno, action: "writing to the disk") }
        let written = now()
        // From the disk, not from memory, as far as the kernel follows the advice.
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        var buffer = [UInt8](repeating: 0, count: block)
        let reading = now()
        for index in 0..<(bytes / block) {
            let count = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, off_t(index * block)) }
            guard count >= 0 else { return .refuses(errno, action: "reading back") }
            guard count == block, buffer == pattern(index) else { return .forgets }
        }
        let end = now()
        return .works(
            written: Double(bytes) / max(written - start, 1e-6), read: Double(bytes) / max(end - reading, 1e-6))
    }

    /// Different for each block, so that a disk that folds its addresses over is found out.
    private static func pattern(_ index: Int) -> [UInt8] {
        var state = UInt64(index) &+ 0x9E37_79B9_7F4A_7C15
        return (0..<block).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    /// Seconds.
    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
