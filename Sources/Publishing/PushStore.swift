import Glibc
import Media
import Streaming
import Synchronization

/// The file that keeps what was commanded across a restart. One line per push behind a line that names the format:
/// id, channel, stream, tracks, first time stamp, target; separated by tabs. It holds keys, so only its owner reads it.
///
/// Reads and writes block: not for event loops or the concurrency pool.
package final class PushStore: Sendable {
    package struct Entry: Sendable, Hashable {
        package var id: UInt64
        package var request: PushRequest

        package init(id: UInt64, request: PushRequest) {
            self.id = id
            self.request = request
        }
    }

    package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case system(doing: String, path: String, errno: Int32)
        case unknownFormat(path: String)

        package var description: String {
            switch self {
            case .system(let doing, let path, let number):
                "\(doing) \(path): \(String(cString: strerror(number)))"
            case .unknownFormat(let path): "\(path) is no list of pushes that this version knows; it was left as it is"
            }
        }
    }

    package static let formatLine = "edge-agent pushes 1"
    /// Longer files are not ours.
    package static let maximumBytes = 1 << 20

    package let path: String
    private let lastWritten = Mutex<UInt64>(0)

    package init(path: String) { self.path = path }

    // MARK: Text

    package static func text(_ entries: [Entry]) -> String {
        var text = formatLine + "\n"
        for entry in entries {
            let request = entry.request
            text += "\(entry.id)\t\(request.channel)\t\(request.quality.rawValue)\t\(request.tracks.rawValue)\t"
            text += "\(request.startTimestamp)\t\(request.target.url)\n"
        }
        return text
    }

    /// Lines that cannot be read are left out and counted. Nil where the first line is not ours.
    package static func entries(in text: String) -> (entries: [Entry], unreadable: Int)? {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == formatLine[...] else { return nil }
        var entries: [Entry] = []
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 6, let id = UInt64(fields[0]), let channel = Int(fields[1]),
                let quality = StreamQuality(rawValue: String(fields[2])),
                let tracks = TrackSelection(rawValue: String(fields[3])), let start = UInt32(fields[4]),
                let target = try? PushTarget(String(fields[5])), !entries.contains(where: { $0.id == id })
            else { continue }
            let request = PushRequest(
                channel: channel, quality: quality, tracks: tracks, target: target, startTimestamp: start)
            entries.append(Entry(id: id, request: request))
        }
        return (entries, lines.count - entries.count)
    }

    // MARK: File

    /// No file is an empty list.
    package func load() throws(Failure) -> (entries: [Entry], unreadable: Int) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return ([], 0) }
            throw .system(doing: "opening", path: path, errno: errno)
        }
        defer { Glibc.close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= Self.maximumBytes {
            let count = read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(doing: "reading", path: path, errno: errno) }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        guard bytes.count <= Self.maximumBytes, let found = Self.entries(in: String(decoding: bytes, as: UTF8.self))
        else { throw .unknownFormat(path: path) }
        return found
    }

    /// The whole list, so that a crash leaves the old one or the new one. Older generations than the last written one
    /// are let go.
    package func save(_ entries: [Entry], generation: UInt64) throws(Failure) {
        let result: Result<Void, Failure> = lastWritten.withLock { last in
            guard generation > last else { return .success(()) }
            do throws(Failure) {
                try write(Array(Self.text(entries).utf8))
            } catch {
                return .failure(error)
            }
            last = generation
            return .success(())
        }
        try result.get()
    }

    private func write(_ bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system(doing: "creating", path: temporary, errno: errno) }
        var written = 0
        var problem: Int32 = 0
        while written < bytes.count, problem == 0 {
            let count = bytes.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            if count >= 0 { written += count } else if errno != EINTR { problem = errno }
        }
        if problem == 0, fsync(file) != 0 { problem = errno }
        Glibc.close(file)
        guard problem == 0 else {
            unlink(temporary)
            throw .system(doing: "writing", path: temporary, errno: problem)
        }
        guard rename(temporary, path) == 0 else { throw .system(doing: "replacing", path: path, errno: errno) }
        // The new name must survive a power cut too.
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        Glibc.close(directory)
    }
}
