import ControlProtocol
import Media
import Recording
import Streaming
import WebServer

/// Answers the control API about recordings.
struct RecordingControlService: RecordingControl {
    let recording: RecordingService
    let footage: FootageAccess
    /// The channels there are, with their streams.
    let channels: ChannelSet

    func files(
        channel: Int?, in range: Range<Int64>, limit: Int
    ) async throws(ControlError) -> [RecordedFileReport] {
        let channels = channel.map { [$0] } ?? self.channels.viewable.map(\.id)
        let segments = try await ask { source in
            var all: [Segment] = []
            for channel in channels {
                for stream in try source.streams(ofChannel: channel) {
                    all += try source.segments(of: StreamKey(channel: channel, stream: stream), in: range)
                }
            }
            return all.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
        }
        return segments.suffix(limit).map { RecordedFileReport($0) }
    }

    func setProtected(
        _ isProtected: Bool, channel: Int, name: SegmentName
    ) async throws(ControlError) -> RecordedFileReport {
        guard
            try await disk({ () async throws(StorageFailure) in
                try await recording.setProtected(channel: channel, name: name, isProtected)
            })
        else { throw Self.noFile(channel, name) }
        return try await file(channel, name)
    }

    func delete(channel: Int, name: SegmentName) async throws(ControlError) -> RecordedFileReport {
        let file = try await file(channel, name)
        guard
            try await disk({ () async throws(StorageFailure) in
                try await recording.delete(channel: channel, name: name)
            })
        else { throw Self.noFile(channel, name) }
        return file
    }

    func record(channel: Int, _ order: RecordOrder) async throws(ControlError) -> RecordCommandReport {
        let key = try key(channel, order.stream)
        try await disk { () async throws(StorageFailure) in
            try await recording.startRecording(key, for: order.seconds.map { Int64($0) * 1000 })
        }
        let now = SystemWallClock().read().milliseconds(at: SystemMediaClock().now())
        return RecordCommandReport(
            channel: channel, stream: order.stream, isCommanded: true,
            until: order.seconds.map { now + Int64($0) * 1000 })
    }

    func endRecord(channel: Int, stream: CodeStream) async throws(ControlError) -> RecordCommandReport {
        let key = try key(channel, stream)
        try await disk { () async throws(StorageFailure) in try await recording.stopRecording(key) }
        return RecordCommandReport(channel: channel, stream: stream, isCommanded: false)
    }

    // MARK: Helpers

    private func key(_ channel: Int, _ stream: CodeStream) throws(ControlError) -> StreamKey {
        guard channels.hub(channel, stream.quality) != nil else {
            throw .notFound("there is no channel \(channel) with a \(stream.rawValue) stream")
        }
        return StreamKey(channel: channel, stream: stream.quality)
    }

    private func file(_ channel: Int, _ name: SegmentName) async throws(ControlError) -> RecordedFileReport {
        guard let segment = try await ask({ try $0.segment(channel: channel, name: name.text) }) else {
            throw Self.noFile(channel, name)
        }
        return RecordedFileReport(segment)
    }

    private func ask<Value: Sendable>(
        _ question: @escaping @Sendable (any FootageSource) throws -> Value
    ) async throws(ControlError) -> Value {
        let answer: Value?
        do { answer = try await footage.ask(question) } catch { throw Self.failure("\(error)") }
        guard let answer else {
            throw Self.failure("nothing is recorded here; see the section recording of the configuration")
        }
        return answer
    }

    private func disk<Value>(
        _ work: () async throws(StorageFailure) -> Value
    ) async throws(ControlError) -> Value {
        do throws(StorageFailure) { return try await work() } catch { throw Self.failure("\(error)") }
    }

    private static func failure(_ detail: String) -> ControlError {
        ControlError(status: 503, code: "noDisk", message: detail)
    }

    private static func noFile(_ channel: Int, _ name: SegmentName) -> ControlError {
        .notFound("channel \(channel) has no closed recording \(name); edgectl files list shows them")
    }
}
