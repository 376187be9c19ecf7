import Media
import PlatformProtocol
import Recording
import Streaming

/// Answers a platform's questions about recordings out of the index. Blocks; for threads that may wait for the disk.
struct RecordingSearch: Sendable {
    let settings: PlatformSettings
    let view: TerminalView

    struct Outcome: Sendable {
        /// Ordered by channel and start.
        var records: [JT1078ResourceList.Record] = []
        /// Of a playback: the first frames, where there are any, and where the last file that it is from ends;
        /// milliseconds since 1970, UTC.
        var opening: PlaybackOpening?
        var recordedUntil: Int64 = 0
    }

    /// More records than a list may hold are left out at its end.
    static let maximumRecords = 5000
    /// A playback without an end goes on for so long at most; milliseconds.
    static let maximumPlayback: Int64 = 24 * 3600 * 1000

    func run(_ search: PlatformSearch, _ source: any FootageSource) -> Outcome {
        do throws(StorageFailure) {
            switch search.purpose {
            case .list: return Outcome(records: try records(search.selection, source))
            case .playback(let request): return try playback(request, search.selection, source)
            }
        } catch {
            return Outcome()
        }
    }

    // MARK: Lists

    struct Found: Sendable {
        let segment: Segment
        /// Logical.
        let channel: UInt8
        let mediaType: UInt8
    }

    /// What a selection means, ordered by channel and start.
    func segments(_ selection: JT1078Selection, _ source: any FootageSource) -> [Found] {
        (try? found(selection, source)) ?? []
    }

    private func records(
        _ selection: JT1078Selection, _ source: any FootageSource
    ) throws(StorageFailure) -> [JT1078ResourceList.Record] {
        try found(selection, source).prefix(Self.maximumRecords).map { Self.record($0) }
    }

    private func found(
        _ selection: JT1078Selection, _ source: any FootageSource
    ) throws(StorageFailure) -> [Found] {
        // Nothing is on a backup disk, and nothing is marked with alarms.
        guard selection.storage != 2, selection.alarms == 0 else { return [] }
        let range = Self.range(selection)
        let channels = settings.channels.filter { selection.channel == 0 || $0.logical == selection.channel }
        var all: [Found] = []
        for channel in channels.sorted(by: { $0.logical < $1.logical }) {
            guard let type = mediaType(channel.id, selection.mediaType) else { continue }
            var segments: [Segment] = []
            for stream in try source.streams(ofChannel: channel.id) where Self.isMeant(stream, selection.stream) {
                segments += try source.segments(of: StreamKey(channel: channel.id, stream: stream), in: range)
            }
            all += segments.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
                .map { Found(segment: $0, channel: channel.logical, mediaType: type) }
        }
        return all
    }

    /// What the channel's recordings are: 0 both, 1 sound, 2 pictures. Nil where that is not wanted.
    private func mediaType(_ id: Int, _ wanted: UInt8) -> UInt8? {
        guard let channel = view.channels[id] else { return nil }
        let type: UInt8 = channel.hasVideo ? (channel.hasAudio ? 0 : 2) : 1
        // 0 stands for "both" and is what platforms send that do not care.
        switch wanted {
        case 0: return type
        case 1: return type == 1 ? 1 : nil
        case 2: return type == 2 ? 2 : nil
        default: return type == 1 ? nil : type
        }
    }

    private static func isMeant(_ stream: StreamQuality, _ wanted: UInt8) -> Bool {
        switch wanted {
        case 1: stream == .main
        case 2: stream == .sub
        default: true
        }
    }

    private static func range(_ selection: JT1078Selection) -> Range<Int64> {
        // No bound is as far as the protocol's years reach.
        let earliest = JT808Time(raw: [0, 1, 1, 0, 0, 0]).milliseconds() ?? 0
        let latest = JT808Time(raw: [0x99, 0x12, 0x31, 0x23, 0x59, 0x59]).milliseconds() ?? .max
        let start = selection.start.milliseconds() ?? earliest
        // The second that is named is meant as a whole.
        let end = (selection.end.milliseconds() ?? latest) + 1000
        return start..<max(start, end)
    }

    private static func record(_ found: Found) -> JT1078ResourceList.Record {
        let segment = found.segment
        let selection = JT1078Selection(
            channel: found.channel, start: JT808Time(milliseconds: segment.start),
            end: JT808Time(milliseconds: segment.end), mediaType: found.mediaType,
            stream: segment.key.stream == .main ? 1 : 2, storage: 1)
        return .init(selection: selection, size: UInt32(clamping: segment.size))
    }

    // MARK: Playback

    private func playback(
        _ request: JT1078PlaybackRequest, _ selection: JT1078Selection, _ source: any FootageSource
    ) throws(StorageFailure) -> Outcome {
        guard let channel = settings.channel(request.channel), let start = request.start.milliseconds(),
            request.storage != 2
        else { return Outcome() }
        // A single picture: all up to it, which decoding needs, and no more.
        let end =
            request.mode == 4
            ? start + 1
            : request.end.milliseconds().map { $0 + 1000 } ?? start + Self.maximumPlayback
        guard end > start else { return Outcome() }
        let qualities = StreamQuality.allCases.filter { Self.isMeant($0, request.stream) }
        for quality in qualities {
            let opening = PlaybackOpening(
                channel: channel.id, stream: quality, range: start..<end, source: source)
            guard let opening else { continue }
            let key = StreamKey(channel: channel.id, stream: quality)
            let recorded = try source.segments(of: key, in: start..<end).map(\.end).max() ?? end
            return Outcome(
                records: try records(selection, source), opening: opening, recordedUntil: recorded)
        }
        return Outcome()
    }
}
