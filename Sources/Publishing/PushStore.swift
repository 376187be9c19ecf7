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
        case file(StateFile.Failure)
        case unknownFormat(path: String)

        package var description: String {
            switch self {
            case .file(let failure): "\(failure)"
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
        let bytes: [UInt8]?
        do { bytes = try StateFile.read(path, maximumBytes: Self.maximumBytes) } catch { throw .file(error) }
        guard let bytes else { return ([], 0) }
        guard bytes.count <= Self.maximumBytes, let found = Self.entries(in: String(decoding: bytes, as: UTF8.self))
        else { throw .unknownFormat(path: path) }
        return found
    }

    /// The whole list. Older generations than the last written one are let go.
    package func save(_ entries: [Entry], generation: UInt64) throws(Failure) {
        let result: Result<Void, Failure> = lastWritten.withLock { last in
            guard generation > last else { return .success(()) }
            do throws(StateFile.Failure) {
                try StateFile.replace(path, with: Array(Self.text(entries).utf8))
            } catch {
                return .failure(.file(error))
            }
            last = generation
            return .success(())
        }
        try result.get()
    }
}
