import Recording
import Signalling
import Streaming

extension FootageAccess: RecordingQueries {
    /// Of the best stream that has footage in the range, as playback gives it.
    package func files(channel: Int, in range: Range<Int64>, type: Int?) async throws -> [RecordedFile] {
        try await present { source in
            try Self.segments(channel, range, type, source).map(RecordedFile.init)
        }
    }

    /// - Parameter type: not looked at; a viewer asks for the day's recordings next.
    package func days(channel: Int, year: Int, month: Int, type: Int?) async throws -> UInt32 {
        try await present { source in
            try source.streams(ofChannel: channel).reduce(0) { days, stream in
                try days | source.days(of: StreamKey(channel: channel, stream: stream), year: year, month: month).bits
            }
        }
    }

    private func present<Value: Sendable>(
        _ question: @escaping @Sendable (any FootageSource) throws -> Value
    ) async throws -> Value {
        guard let answer = try await ask(question) else { throw NothingRecorded() }
        return answer
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
