import Media
import Recording
import Signalling
import Synchronization
import Testing

@Suite struct CommandTests {
    // MARK: Dispatch

    private func answer(_ text: String, _ table: CommandTable, from visitor: UInt32 = 0) async -> String {
        await table.answer(text, from: VisitorID(visitor)) { $0 < 2 }.text
    }

    @Test(arguments: [
        ("action=inner_define&channel=0&cmd=nothing", "406"), ("action=inner_define&cmd=", "404"),
        ("action=inner_define", "404"), ("cmd=get_file_list", "404"), ("", "404"),
        ("action=inner_define&channel=2&cmd=get_file_list", "404"),
        ("action=inner_define&channel=x&cmd=get_file_list", "404"),
        ("action=inner_define&channel=9&cmd=nothing", "406"),
        ("action=inner_define&cmd=get_file_list&pad=\(String(repeating: "a", count: 3000))", "404"),
    ])
    func wrongCommandsAreAnswered(_ text: String, _ status: String) async {
        var table = CommandTable()
        table.add(.fileList) { _ in .accepted }
        #expect(await answer(text, table) == "{\"status\":\"\(status)\"}")
    }

    @Test func commandsReachTheirHandler() async {
        var table = CommandTable()
        table.add(.fileList) { CommandReply(["said": .text($0.query["text"] ?? ""), "to": .quoted($0.channel)]) }
        let text = "&action=INNER_DEFINE&channel=1}&cmd=get_file_list&text=a%22%5C%0A%01&_token=1"
        #expect(await answer(text, table) == #"{"said":"a\"\\\n\u0001","to":"1"}"#)
        let long = "action=inner_define&cmd=get_file_list&text="
        let padded = long + String(repeating: "a", count: 3000 - long.utf8.count)
        #expect(await answer(padded, table).hasPrefix("{\"said\":\"aaa"))
    }

    // MARK: What is recorded

    private struct Recordings: RecordingQueries {
        var list: [RecordedFile] = []
        var failure: (any Error)?
        let asked = Box<(Range<Int64>, Int?)?>(nil)

        func files(channel: Int, in range: Range<Int64>, type: Int?) async throws -> [RecordedFile] {
            asked.set((range, type))
            if let failure { throw failure }
            return channel == 0 ? list : []
        }

        func days(channel: Int, year: Int, month: Int, type: Int?) async throws -> UInt32 {
            if let failure { throw failure }
            return (year, month) == (2023, 8) ? 8320 : 0
        }
    }

    private struct Broken: Error {}

    private func table(_ recordings: Recordings) -> CommandTable {
        var table = CommandTable()
        RecordingCommands(recordings).add(to: &table)
        return table
    }

    private static let files = [
        RecordedFile(
            name: "20230831/1.mp4", size: 1_048_576, type: 0, start: 1_693_456_800_250, end: 1_693_457_100_250),
        // Too short for viewers.
        RecordedFile(name: "20230831/2.mp4", size: 10, type: 0, start: 1_693_457_100_250, end: 1_693_457_104_900),
        RecordedFile(name: "20230831/3.mp4", size: 7, type: 2, start: 1_693_457_105_000, end: 1_693_457_110_000),
    ]

    @Test(arguments: [
        ("202308", #"{"video_list":"8320"}"#), ("202309", #"{"video_list":"0"}"#),
        ("", #"{"status":"404"}"#), ("202313", #"{"status":"404"}"#), ("202300", #"{"status":"404"}"#),
        ("x", #"{"status":"404"}"#), ("99999999999", #"{"status":"404"}"#),
    ])
    func monthRecord(_ time: String, _ reply: String) async {
        let text = "action=inner_define&channel=0&cmd=get_month_record&time=\(time)"
        #expect(await answer(text, table(Recordings())) == reply)
    }

    @Test func recordIndexHasTheSpecifiedShape() async {
        let recordings = Recordings(list: Self.files)
        let text = "action=inner_define&channel=0&cmd=get_record_index&start_time=1693440000&end_time=1693526399&type=0"
        #expect(
            await answer(text, table(recordings))
                == #"{"video_list":[{"type":0,"start_time":"1693456800","end_time":"1693457100"},"#
                + #"{"type":2,"start_time":"1693457105","end_time":"1693457110"}]}"#)
        #expect(recordings.asked.value?.0 == 1_693_440_000_000..<1_693_526_400_000)
        #expect(recordings.asked.value?.1 == nil)
        #expect(
            await answer(text.replacing("channel=0", with: "channel=1"), table(recordings)) == #"{"video_list":[]}"#)
    }

    @Test func fileListHasTheSpecifiedShape() async {
        let recordings = Recordings(list: Self.files)
        let text =
            "action=inner_define&channel=0&cmd=get_file_list&start_time=1693440000&end_time=1693526399&file_type="
        let all = await answer(text + "0", table(recordings))
        #expect(
            all == #"{"file_list":[{"file_type":"0","file_name":"20230831/1.mp4","file_size":"1048576","#
                + #""start_time":"1693456800","end_time":"1693457100"},{"file_type":"0","file_name":"20230831/3.mp4","#
                + #""file_size":"7","start_time":"1693457105","end_time":"1693457110"}]}"#)
        #expect(await answer(text, table(recordings)) == all)
        #expect(await answer(text + "1", table(recordings)) == #"{"file_list":[]}"#)
    }

    @Test(arguments: ["get_record_index", "get_file_list"])
    func rangesAreChecked(_ command: String) async {
        for times in ["", "&start_time=5", "&end_time=5", "&start_time=6&end_time=5", "&start_time=a&end_time=5"] {
            let text = "action=inner_define&cmd=\(command)\(times)"
            #expect(await answer(text, table(Recordings())) == #"{"status":"404"}"#)
        }
        let recordings = Recordings()
        _ = await answer("action=inner_define&cmd=\(command)&start_time=0&end_time=9999999999", table(recordings))
        #expect((recordings.asked.value?.0.count ?? .max) <= 32 * 86_400_000)
    }

    @Test func aDiskThatFailsIsTheDevicesErrorAndNoDiskIsUnsupported() async {
        let recordings = Recordings(failure: Broken())
        for command in ["get_month_record&time=202308", "get_record_index&start_time=1&end_time=9"] {
            #expect(await answer("action=inner_define&cmd=\(command)", table(recordings)) == #"{"status":"407"}"#)
            let none = table(Recordings(failure: NothingRecorded()))
            #expect(await answer("action=inner_define&cmd=\(command)", none) == #"{"status":"406"}"#)
        }
    }

    // MARK: Playback

    private final class Playback: PlaybackControl {
        let range: Range<Int64> = 1_693_456_800_000..<1_693_457_101_000
        let orders = Box<[PlaybackOrder]>([])
        let isStopped = Box(false)

        func perform(_ order: PlaybackOrder) async -> PlaybackProgress? {
            guard !isStopped.value else { return nil }
            orders.set(orders.value + [order])
            return PlaybackProgress(position: .milliseconds(12_345), isPaused: false)
        }

        func stop() { isStopped.set(true) }
    }

    private func place(_ visitor: UInt32) -> VisitorTable.Place {
        .init(visitor: VisitorID(visitor), channel: 0, kind: .playback)
    }

    @Test func ordersReachTheVisitorsOwnPlayback() async {
        let visitors = VisitorTable()
        var table = CommandTable()
        PlaybackCommands(visitors).add(to: &table)
        let (first, second) = (Playback(), Playback())
        visitors.begin(first, at: place(1))
        visitors.begin(second, at: place(2))
        func order(_ text: String, from visitor: UInt32 = 1) async -> String {
            await answer("action=inner_define&channel=0&cmd=\(text)", table, from: visitor)
        }
        #expect(await order("playback_pause") == #"{"status":"0"}"#)
        #expect(await order("playback_resume") == #"{"status":"0"}"#)
        #expect(await order("playback_progress") == #"{"status":"0","progress":"12345"}"#)
        #expect(first.orders.value == [.pause, .resume, .report])
        #expect(second.orders.value.isEmpty)
        for (text, seconds) in [
            ("progress=7000", 7), ("time=12}", 12), ("time=1693456810", 10), ("progress=99999999", 301),
            ("time=9999999999", 301), ("progress=3000&time=9", 3), ("time=1693456799", 301),
        ] as [(String, Int64)] {
            #expect(await order("playback_seek&\(text)") == #"{"status":"0"}"#)
            #expect(first.orders.value.last == .seek(.seconds(seconds)), "\(text)")
        }
        #expect(await order("playback_ff&speed=3") == #"{"status":"0"}"#)
        #expect(first.orders.value.last == .setSpeed(.keyPictures(every: 3)))
        #expect(await order("playback_ff&speed=0") == #"{"status":"0"}"#)
        #expect(first.orders.value.last == .setSpeed(.normal))
        #expect(await order("playback_speed&speed=80") == #"{"status":"0"}"#)
        #expect(first.orders.value.last == .setSpeed(.pictureInterval(.milliseconds(80))))
        for text in ["playback_seek", "playback_seek&time=x", "playback_ff", "playback_ff&speed=x", "playback_speed"] {
            #expect(await order(text) == #"{"status":"404"}"#)
        }
    }

    @Test func withoutPlaybackTheAnswerIs404() async {
        let visitors = VisitorTable()
        var table = CommandTable()
        PlaybackCommands(visitors).add(to: &table)
        let playback = Playback()
        visitors.begin(playback, at: place(1))
        for command in ["pause", "resume", "seek&progress=1", "progress", "ff&speed=1", "speed&speed=1"] {
            for (visitor, channel) in [(2, 0), (1, 1)] as [(UInt32, Int)] {
                let text = "action=inner_define&channel=\(channel)&cmd=playback_\(command)"
                #expect(await answer(text, table, from: visitor) == #"{"status":"404"}"#)
            }
        }
        let other = Playback()
        visitors.begin(other, at: place(1))
        #expect(playback.isStopped.value)
        // The one that was replaced ends later, and takes nothing with it.
        visitors.end(playback, at: place(1))
        #expect(visitors.playback(of: VisitorID(1), channel: 0) === other)
        visitors.end(other, at: place(1))
        #expect(visitors.playback(of: VisitorID(1), channel: 0) == nil)
    }
}

/// A value that several tasks may look at.
private final class Box<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value { mutex.withLock { $0 } }
    func set(_ new: Value) { mutex.withLock { $0 = new } }
}
