/// What there is to play back, as commands ask for it. Answers come from the index. Both throw `NothingRecorded` where
/// that is so, and else what the disk refused.
package protocol RecordingQueries: Sendable {
    /// What overlaps the range (milliseconds since 1970, UTC), in order of time, whole segments.
    func files(channel: Int, in range: Range<Int64>, type: Int?) async throws -> [RecordedFile]
    /// The days of a month, in the device's time zone, that have footage: bit 0 is the first.
    func days(channel: Int, year: Int, month: Int, type: Int?) async throws -> UInt32
}

/// This device does not record, and never did.
package struct NothingRecorded: Error {
    package init() {}
}

/// A recorded file, as viewers may know it.
package struct RecordedFile: Sendable, Hashable {
    package var name: String
    /// Bytes.
    package var size: Int64
    package var type: Int
    /// Milliseconds since 1970, UTC.
    package var start: Int64
    package var end: Int64

    package init(name: String, size: Int64, type: Int, start: Int64, end: Int64) {
        self.name = name
        self.size = size
        self.type = type
        self.start = start
        self.end = end
    }

    /// Whole seconds since 1970, rounded down, so that files that adjoin do so in viewers' lists as well.
    package var startSecond: Int64 { start / 1000 }
    package var endSecond: Int64 { end / 1000 }
    /// Viewers refuse to play less.
    var isPlayable: Bool { endSecond - startSecond >= PlaybackRequest.minimumLength }
}

/// The commands that tell what is recorded.
package struct RecordingCommands: Sendable {
    private let recordings: any RecordingQueries

    /// A reply has at most so many entries; a day of one-minute files has 1440.
    package static let maximumEntries = 5000
    /// Longer ranges are cut at their end: the longest month and a day for time zones, in milliseconds.
    private static let maximumRange: Int64 = 32 * 86_400_000

    package init(_ recordings: any RecordingQueries) { self.recordings = recordings }

    package func add(to table: inout CommandTable) {
        table.add(.monthRecord) { await monthRecord($0) }
        table.add(.recordIndex) { await recordIndex($0) }
        table.add(.fileList) { await fileList($0) }
    }

    private func monthRecord(_ command: InnerCommand) async -> CommandReply {
        guard case .value(let time) = command.query.number("time") else { return .wrongRequest }
        let (year, month) = (time / 100, time % 100)
        guard (1970...9999).contains(year), (1...12).contains(month) else { return .wrongRequest }
        return await Self.reply {
            let days = try await recordings.days(
                channel: command.channel, year: year, month: month, type: command.query.recordingType)
            return ["video_list": .quoted(days)]
        }
    }

    private func recordIndex(_ command: InnerCommand) async -> CommandReply {
        guard let range = Self.range(command.query) else { return .wrongRequest }
        return await Self.reply {
            let files = try await files(command, range, type: command.query.recordingType)
            return ["video_list": .list(files.map(Self.indexEntry))]
        }
    }

    private static func indexEntry(_ file: RecordedFile) -> JSONValue {
        [
            "type": .number(Int64(file.type)), "start_time": .quoted(file.startSecond),
            "end_time": .quoted(file.endSecond),
        ]
    }

    private func fileList(_ command: InnerCommand) async -> CommandReply {
        guard let range = Self.range(command.query) else { return .wrongRequest }
        // Pictures and other sorts are not kept.
        if let sort = command.query["file_type"], !sort.isEmpty, command.query.number("file_type") != .value(0) {
            return CommandReply(["file_list": []])
        }
        return await Self.reply {
            let files = try await files(command, range, type: nil)
            return ["file_list": .list(files.map(Self.fileEntry))]
        }
    }

    /// Without `extra_info`: one viewer wants an object there and another one text, and both do without.
    private static func fileEntry(_ file: RecordedFile) -> JSONValue {
        [
            "file_type": .text("0"), "file_name": .text(file.name), "file_size": .quoted(file.size),
            "start_time": .quoted(file.startSecond), "end_time": .quoted(file.endSecond),
        ]
    }

    private func files(_ command: InnerCommand, _ range: Range<Int64>, type: Int?) async throws -> [RecordedFile] {
        let files = try await recordings.files(channel: command.channel, in: range, type: type)
        return Array(files.lazy.filter(\.isPlayable).prefix(Self.maximumEntries))
    }

    private static func reply(_ answer: () async throws -> JSONValue) async -> CommandReply {
        do {
            return CommandReply(try await answer())
        } catch is NothingRecorded {
            return .unsupported
        } catch {
            return .deviceError
        }
    }

    private static func range(_ query: RequestQuery) -> Range<Int64>? {
        guard let start = query.seconds("start_time"), let end = query.seconds("end_time"), start <= end else {
            return nil
        }
        return start * 1000..<min((end + 1) * 1000, start * 1000 + maximumRange)
    }
}
