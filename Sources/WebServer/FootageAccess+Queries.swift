import Recording
import Signalling
import Streaming

extension FootageAccess: RecordingQueries {
    /// Of the best stream that has footage in the range, as playback gives it.
    package func files(channel: Int, in range: Range<Int64>, type: Int?) async throws -> [RecordedFile] {
        try await ask { source in
            try Self.segments(channel, range, type, source).map(RecordedFile.init)
        } ?? []
    }

    package func days(channel: Int, year: Int, month: Int, type: Int?) async throws -> UInt32 {
        try await ask { source in
            guard let stream = try source.streams(ofChannel: channel).first else { return 0 }
            let key = StreamKey(channel: channel, stream: stream)
            return try source.days(of: key, year: year, month: month).bits
        } ?? 0
    }

    private static func segments(
        _ channel: Int, _ range: Range<Int64>, _ type: Int?, _ source: any FootageSource
    ) throws(StorageFailure) -> [Segment] {
        for stream in try source.streams(ofChannel: channel) {
            let found = try source.segments(of: StreamKey(channel: channel, stream: stream), in: range)
                .filter { type == nil || $0.kind.rawValue == type }
            if !found.isEmpty { return found }
        }
        return []
    }
}

extension RecordedFile {
    init(_ segment: Segment) {
        self.init(
            name: segment.name.text, size: segment.size, type: segment.kind.rawValue, start: segment.start,
            end: segment.end)
    }
}
