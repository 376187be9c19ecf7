import Configuration
import Media
import Recording
import Streaming
import Testing

@Suite struct RecordingSectionTests {
    private func read(_ text: String) throws -> RecordingConfiguration {
        try ConfigurationReader.read(Array(text.utf8)).recording
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try ConfigurationReader.read(Array(text.utf8))
            return []
        } catch {
            return error.mistakes.map { $0.description(file: "f") }
        }
    }

    @Test func nothingIsRecordedByDefault() throws {
        let recording = try read("")
        #expect(recording.plans.isEmpty && recording.limits.isEmpty)
        #expect(recording.folder == "/var/lib/edge-agent/recordings")
        #expect(!recording.requiresMount && recording.freePerMille == 50)
    }

    @Test func everythingCanBeSet() throws {
        let recording = try read(
            """
            channels:
              - id: 3
                recording:
                  main: {mode: schedule, schedule: ["mon-fri 08:00-18:00", "sun 22:00-06:00"], preRoll: 2.5}
                  sub: {mode: continuous}
                  maximumBytes: 5000000
                  maximumDays: 0.5
              - {id: 4, audio: {source: none}, recording: {main: {mode: command, preRoll: 60}}}
              - {id: 5}
            recording: {folder: /mnt/card, requiresMount: true, freePercent: 12.5, segmentSeconds: 60}
            """)
        #expect(recording.folder == "/mnt/card" && recording.requiresMount && recording.freePerMille == 125)
        #expect(recording.limits == [3: RetentionLimits(bytes: 5_000_000, age: 43_200_000)])
        var schedule = WeeklySchedule()
        try schedule.add("mon-fri 08:00-18:00")
        try schedule.add("sun 22:00-06:00")
        let length = MediaTime.seconds(60)
        #expect(
            recording.plans == [
                RecordingPlan(
                    key: StreamKey(channel: 3, stream: .main), mode: .schedule, schedule: schedule,
                    preRoll: .milliseconds(2500), segmentLength: length),
                RecordingPlan(key: StreamKey(channel: 3, stream: .sub), mode: .continuous, segmentLength: length),
                RecordingPlan(
                    key: StreamKey(channel: 4, stream: .main), mode: .command, preRoll: .seconds(60),
                    segmentLength: length),
            ])
    }

    @Test(
        arguments: [
            (
                "channels: [{recording: {main: {mode: always}}}]",
                ["channels[0].recording.main.mode cannot be always; choose one of off, continuous, schedule, command"]
            ),
            (
                "channels: [{recording: {main: {mode: schedule}}}]",
                [
                    "channels[0].recording.main.schedule is missing; "
                        + "give windows such as [\"mon-fri 08:00-18:00\"]"
                ]
            ),
            (
                "channels: [{recording: {main: {mode: continuous, schedule: [\"mon 08:00-09:00\"]}}}]",
                [
                    "channels[0].recording.main.schedule is only for mode: schedule; write mode: schedule, or remove it"
                ]
            ),
            (
                "channels: [{recording: {main: {mode: schedule, schedule: [\"moon 8-9\"]}}}]",
                [
                    "channels[0].recording.main.schedule: \"8-9\" is not two times of a day; "
                        + "write windows such as \"mon-fri 08:00-18:00\" or \"daily 22:00-06:00\""
                ]
            ),
            (
                "channels: [{sub: false, recording: {sub: {mode: continuous}}}]",
                [
                    "channels[0].recording.sub records a stream that the channel does not have; "
                        + "give the channel a sub stream, or remove recording.sub"
                ]
            ),
            ("recording: {segmentSeconds: 0}", ["recording.segmentSeconds must be 1 to 3600, not 0"]),
            ("recording: {freePercent: 95}", ["recording.freePercent must be 1 to 90, not 95"]),
            (
                "recording: {folder: card}", ["recording.folder must be a whole path, not card; start it with \"/\""]
            ),
            (
                "channels: [{recording: {maximumBytes: 1000}}]",
                ["channels[0].recording.maximumBytes must be 1000000 to 1000000000000000, not 1000"]
            ),
        ])
    func mistakesSayWhatToDo(text: String, expected: [String]) {
        #expect(mistakes(text).map { $0.split(separator: ": error: ").last.map(String.init) ?? $0 } == expected)
    }
}
