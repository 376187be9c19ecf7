/// A request for recorded footage, paced in real time: `action=playback&channel=0&start_time=…&end_time=…`.
package struct PlaybackRequest: Sendable, Hashable {
    package let channel: Int
    /// Seconds since 1970, UTC; the second of the end belongs to the range.
    package let start: Int64
    package let end: Int64
    /// Only recordings of this type; nil for all.
    package let type: Int?
    /// Where to begin, in milliseconds from `start`; a seek that saves its own round trip.
    package let progress: Int64

    /// Viewers ask for no less: in seconds.
    package static let minimumLength: Int64 = 5

    package init(channel: Int, start: Int64, end: Int64, type: Int? = nil, progress: Int64 = 0) {
        self.channel = channel
        self.start = start
        self.end = end
        self.type = type
        self.progress = progress
    }

    init(channel: Int, _ query: RequestQuery) throws(RequestRefusal) {
        guard let start = query.seconds("start_time"), let end = query.seconds("end_time") else {
            throw .notFound("playback needs start_time and end_time in seconds since 1970")
        }
        guard end - start >= Self.minimumLength else {
            throw .notFound("end_time must be at least \(Self.minimumLength) s after start_time")
        }
        let length = (end + 1 - start) * 1000
        let progress: Int64 = if case .value(let number) = query.number("_progress") { Int64(number) } else { 0 }
        self.init(
            channel: channel, start: start, end: end, type: query.recordingType, progress: min(progress, length))
    }

    /// Milliseconds since 1970, UTC.
    package var range: Range<Int64> { start * 1000..<(end + 1) * 1000 }
}

extension RequestQuery {
    /// Viewers that know no types send 0 or nothing; both mean all.
    var recordingType: Int? {
        guard case .value(let type) = number("type"), type > 0 else { return nil }
        return type
    }
}
