import ControlProtocol
import Media
import NIOCore
import NIOHTTP1
import NIOPosix
import Recording
import Signalling
import Synchronization
import Testing
import WebServer

@Suite struct RecordingRoutesTests {
    private let control = FakeRecordings()
    private let name = "20261121/140500-main-1f0c39ab.mp4"

    /// The answer, whichever way the router comes by it.
    private func answer(_ method: HTTPMethod, _ path: String, body: String = "") async throws -> HTTPAnswer {
        let footage = FootageAccess(
            source: { nil }, visitors: VisitorTable(), threads: .singleton, clock: SystemMediaClock())
        let routes = ControlRoutes(
            agent: FakeAgent(), registry: ViewerRegistry(limit: 1),
            recordings: RecordingRoutes(control: control, footage: footage))
        let router = GuardedRouter(routes, gate: TestAccess(.refused).gate)
        var outcome = router.route(
            HTTPRequest(
                head: HTTPRequestHead(version: .http1_1, method: method, uri: "/api/v1/\(path)"),
                body: ByteBuffer(string: body), caller: .owner))
        if case .later(let work) = outcome { outcome = await work() }
        switch outcome {
        case .answer(let answer): return answer
        case .work(let work): return await work()
        default: throw Unexpected()
        }
    }

    private struct Unexpected: Error {}

    @Test func filesAreListedWithinTheirBounds() async throws {
        let all = try await answer(.GET, "files")
        #expect(all.status == 200)
        #expect(String(buffer: all.body).hasPrefix("[{\"bytes\":75000000,\"channel\":0,"))
        _ = try await answer(.GET, "files?channel=3&from=5&to=9&limit=2")
        _ = try await answer(.GET, "files?limit=99999999&from=9&to=5")
        #expect(
            control.asked == [
                "files nil 0..<\(Int64.max) 10000", "files 3 5..<9 2", "files nil 9..<9 10000",
            ])
        for query in ["channel=x", "from=x", "to=-1", "limit=99999999999999999999"] {
            #expect(try await answer(.GET, "files?\(query)").status == 400, "\(query)")
        }
        #expect(try await answer(.POST, "files").status == 405)
    }

    @Test func aFileIsProtectedAndDeleted() async throws {
        #expect(try await answer(.PUT, "files/0/\(name)/protection").status == 200)
        #expect(try await answer(.DELETE, "files/0/\(name)/protection").status == 200)
        #expect(try await answer(.DELETE, "files/3/\(name)").status == 200)
        #expect(try await answer(.DELETE, "files/7/\(name)").status == 404)
        #expect(
            control.asked == ["protect 0 \(name)", "unprotect 0 \(name)", "delete 3 \(name)", "delete 7 \(name)"])
        #expect(try await answer(.PUT, "files/0/\(name)").status == 405)
        #expect(try await answer(.GET, "files/0/\(name)/protection").status == 405)
    }

    @Test func whatNamesNoFileIsNotFound() async throws {
        let bad = [
            "0/../passwd", "0/20261121/..", "0/20261121/%2e%2e", "x/\(name)", "-1/\(name)x", "0/\(name)%00",
            "0/20261121/140500-main-1F0C39AB.mp4", "0/etc/passwd",
        ]
        for path in bad {
            for method in [HTTPMethod.GET, .DELETE] {
                #expect(try await answer(method, "files/\(path)").status == 404, "\(path)")
            }
            #expect(try await answer(.PUT, "files/\(path)/protection").status == 404, "\(path)")
        }
        #expect(control.asked.isEmpty)
        // A name that could be one, on a device that records nothing.
        #expect(try await answer(.GET, "files/0/\(name)").status == 404)
        #expect(try await answer(.GET, "files/0/\(name)?offset=x").status == 400)
    }

    @Test func recordingIsCommanded() async throws {
        #expect(try await answer(.PUT, "channels/0/recording").status == 200)
        #expect(try await answer(.PUT, "channels/3/recording", body: #"{"stream":"sub","seconds":60}"#).status == 200)
        #expect(try await answer(.DELETE, "channels/0/recording").status == 200)
        #expect(try await answer(.DELETE, "channels/0/recording?stream=sub").status == 200)
        #expect(control.asked == ["record 0 main nil", "record 3 sub 60", "end 0 main", "end 0 sub"])
        for body in ["{", #"{"seconds":0}"#, #"{"seconds":31536001}"#, #"{"stream":"mian"}"#] {
            #expect(try await answer(.PUT, "channels/0/recording", body: body).status == 400, "\(body)")
        }
        #expect(try await answer(.DELETE, "channels/0/recording?stream=mian").status == 400)
        #expect(try await answer(.PUT, "channels/x/recording").status == 404)
        #expect(try await answer(.GET, "channels/0/recording").status == 405)
    }
}

/// Does nothing, and remembers what it was to do. There is no channel 7.
private final class FakeRecordings: RecordingControl {
    private let orders = Mutex<[String]>([])
    var asked: [String] { orders.withLock { $0 } }

    private func note(_ order: String) { orders.withLock { $0.append(order) } }

    private func file(_ channel: Int) throws(ControlError) -> RecordedFileReport {
        guard channel != 7 else { throw .notFound("there is no such file") }
        return RecordedFileReport(
            channel: channel, stream: .main, name: "20261121/140500-main-1f0c39ab.mp4", kind: .continuous,
            bytes: 75_000_000, start: 0, end: 1, isGrowing: false, isProtected: false, isDamaged: false)
    }

    func files(channel: Int?, in range: Range<Int64>, limit: Int) async throws(ControlError) -> [RecordedFileReport] {
        note("files \(channel.map(String.init) ?? "nil") \(range) \(limit)")
        return [try file(channel ?? 0)]
    }

    func setProtected(
        _ isProtected: Bool, channel: Int, name: SegmentName
    ) async throws(ControlError) -> RecordedFileReport {
        note("\(isProtected ? "protect" : "unprotect") \(channel) \(name)")
        return try file(channel)
    }

    func delete(channel: Int, name: SegmentName) async throws(ControlError) -> RecordedFileReport {
        note("delete \(channel) \(name)")
        return try file(channel)
    }

    func record(channel: Int, _ order: RecordOrder) async throws(ControlError) -> RecordCommandReport {
        note("record \(channel) \(order.stream.rawValue) \(order.seconds.map(String.init) ?? "nil")")
        return RecordCommandReport(channel: channel, stream: order.stream, isCommanded: true)
    }

    func endRecord(channel: Int, stream: CodeStream) async throws(ControlError) -> RecordCommandReport {
        note("end \(channel) \(stream.rawValue)")
        return RecordCommandReport(channel: channel, stream: stream, isCommanded: false)
    }
}
