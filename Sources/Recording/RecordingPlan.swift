import Media
import Streaming

/// What is to be recorded of one stream, and how. A stream without a plan is never recorded.
package struct RecordingPlan: Sendable, Hashable {
    package enum Mode: String, Sendable, CaseIterable {
        case continuous
        case schedule
        /// Only while somebody commands it.
        case command
    }

    package var key: StreamKey
    package var mode: Mode
    package var schedule: WeeklySchedule
    /// How much from before a recording on command, or on schedule, it begins with. The frames wait in memory.
    package var preRoll: MediaTime
    /// A file ends at the first key frame after this time.
    package var segmentLength: MediaTime

    package init(
        key: StreamKey, mode: Mode, schedule: WeeklySchedule = WeeklySchedule(), preRoll: MediaTime = .zero,
        segmentLength: MediaTime = .seconds(300)
    ) {
        self.key = key
        self.mode = mode
        self.schedule = schedule
        self.preRoll = preRoll
        self.segmentLength = segmentLength
    }

    /// What the recorder does with a stream's frames.
    package enum Intent: Sendable, Hashable {
        case off
        /// Keeps the last ones in memory.
        case buffer
        case record(RecordingKind)
    }

    /// - Parameter now: milliseconds since 1970, UTC.
    package func intent(at now: Int64, command: RecordingCommand?, calendar: DayCalendar) -> Intent {
        if mode == .continuous { return .record(.continuous) }
        if mode == .schedule, schedule.contains(minuteOfWeek: calendar.minuteOfWeek(of: now)) {
            return .record(.scheduled)
        }
        if let command, command.until.map({ now < $0 }) ?? true { return .record(.commanded) }
        return preRoll > .zero ? .buffer : .off
    }

    /// Whether footage was to be made all the time between two instants.
    func wanted(from start: Int64, to end: Int64, command: RecordingCommand?, calendar: DayCalendar) -> Bool {
        guard start < end else { return false }
        if mode == .continuous { return true }
        // Windows are whole minutes; longer than a week they all have come and gone.
        let minutes = stride(from: start, through: end, by: 60_000).prefix(DayCalendar.minutesPerWeek + 1)
        return minutes.allSatisfy { minute in
            if case .record = intent(at: minute, command: command, calendar: calendar) { true } else { false }
        }
    }
}

/// How much of a channel's footage is kept.
package struct RetentionLimits: Sendable, Hashable {
    /// Bytes; nil for no limit but the disk's.
    package var bytes: Int64?
    /// Milliseconds; nil for ever.
    package var age: Int64?

    package init(bytes: Int64? = nil, age: Int64? = nil) {
        self.bytes = bytes
        self.age = age
    }
}

/// Everything recording is told by the configuration.
package struct RecordingSettings: Sendable, Hashable {
    /// Where footage and index lie.
    package var folder: String
    /// Nothing is recorded unless a file system of its own is mounted there.
    package var requiresMount = false
    /// Where the identity of the disk is remembered, so that another one is noticed.
    package var diskMemory: String
    /// Parts of a thousand of the disk that stay free.
    package var freePerMille = 50
    package var plans: [RecordingPlan] = []
    /// By channel.
    package var limits: [Int: RetentionLimits] = [:]
    /// Written into the files; at most 64 bytes.
    package var device = ""

    package init(folder: String, diskMemory: String) {
        self.folder = folder
        self.diskMemory = diskMemory
    }
}
