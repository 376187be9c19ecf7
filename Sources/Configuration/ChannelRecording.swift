import Media
import Recording
import Streaming

/// Reads what is recorded of one channel.
struct ChannelRecording {
    /// Of the streams that are recorded at all.
    private(set) var plans: [RecordingPlan] = []
    let limits: RetentionLimits

    private static let maximumWindows = 100
    private static let millisecondsPerDay = 86_400_000.0

    init(_ section: SectionReader, channel: Int, hasSub: Bool) {
        limits = RetentionLimits(
            bytes: section.integer("maximumBytes", 1_000_000...1_000_000_000_000_000).map(Int64.init),
            age: section.number("maximumDays", 0.01...36_500).map { Int64($0 * Self.millisecondsPerDay) })
        for stream in StreamQuality.allCases {
            let key = StreamKey(channel: channel, stream: stream)
            guard let plan = section.section(stream.rawValue, { Self.plan($0, key) }) else { continue }
            if stream == .sub, !hasSub {
                section.notes.add(
                    ConfigurationMistake(
                        at: section.position, "\(section.path).sub records a stream that the channel does not have",
                        hint: "give the channel a sub stream, or remove recording.sub"))
            } else {
                plans.append(plan)
            }
        }
    }

    /// Nil where the stream is never recorded.
    private static func plan(_ section: SectionReader, _ key: StreamKey) -> RecordingPlan? {
        let modes: [(word: String, value: RecordingPlan.Mode?)] =
            [("off", nil)] + RecordingPlan.Mode.allCases.map { ($0.rawValue, $0) }
        let mode = section.choice("mode", modes) ?? nil
        let windows = section.texts("schedule", maximum: maximumWindows) ?? []
        let preRoll = section.number("preRoll", 0...60) ?? 0
        let schedule = schedule(windows, section)
        if let node = section.node("schedule"), mode != .schedule, !windows.isEmpty {
            section.mistake(
                at: node, "\(section.path).schedule is only for mode: schedule",
                hint: "write mode: schedule, or remove it")
        }
        if mode == .schedule, windows.isEmpty {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position, "\(section.path).schedule is missing",
                    hint: "give windows such as [\"mon-fri 08:00-18:00\"]"))
        }
        return mode.map {
            RecordingPlan(key: key, mode: $0, schedule: schedule, preRoll: .milliseconds(Int64(preRoll * 1000)))
        }
    }

    private static func schedule(_ windows: [String], _ section: SectionReader) -> WeeklySchedule {
        var schedule = WeeklySchedule()
        for window in windows {
            do throws(WeeklySchedule.Mistake) {
                try schedule.add(window)
            } catch {
                guard let node = section.node("schedule") else { continue }
                section.mistake(
                    at: node, "\(section.path).schedule: \(error.message)",
                    hint: "write windows such as \"mon-fri 08:00-18:00\" or \"daily 22:00-06:00\"")
            }
        }
        return schedule
    }
}
