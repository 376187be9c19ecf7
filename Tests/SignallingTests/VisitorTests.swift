import Imaging
import Media
import Signalling
import Streaming
import Synchronization
import Testing

@Suite struct VisitorTests {
    private final class Clock: MediaClock {
        let time = Mutex(MediaTime.seconds(1000))
        func now() -> MediaTime { time.withLock { $0 } }
        func pass(_ seconds: Int64) { time.withLock { $0 = $0 + .seconds(seconds) } }
    }

    private final class Stream: Cancellable {
        let isStopped = Mutex(false)
        func stop() { isStopped.withLock { $0 = true } }
    }

    private func viewer(_ number: UInt32, _ requester: String? = nil) -> ViewerIdentity {
        ViewerIdentity(VisitorID(number), requester: requester)
    }

    // MARK: Messages

    /// Who is cancelled while something is told: neither waits for the other.
    @Test(.timeLimit(.minutes(1))) func listenersMayBeCancelledAtAnyTime() async {
        let desk = FeedbackDesk()
        let stop = MonitoredFlag()
        // A thread of its own, since those of tasks are few.
        let teller = MediaThread(name: "teller") {
            while !stop.isSet { desk.tell(.text("x"), to: nil) }
        }
        for _ in 0..<20_000 {
            let listener = Task.detached { [messages = desk.listen(.named(1))] in for await _ in messages {} }
            listener.cancel()
            await listener.value
        }
        stop.set()
        #expect(teller.join(timeout: .seconds(10)))
    }

    // MARK: Names

    /// Nobody can call himself what a peer is called.
    @Test func peersAreVisitorsOfAKindOfTheirOwn() {
        for number in [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, UInt32.max] {
            let (named, link) = (VisitorID.named(number), VisitorID.link(number))
            #expect(named != link && named.number == Int64(number) && link.number > Int64(UInt32.max))
            #expect(VisitorID(number: named.number) == named && VisitorID(number: link.number) == link)
            #expect(named.motionHolder != link.motionHolder)
        }
        #expect(VisitorID(number: -1) == nil && VisitorID(number: 1 << 33) == nil && VisitorID(number: .max) == nil)
        #expect(ViewerIdentity(.link(0)).isNamed)
    }

    // MARK: Places

    @Test func oneTooManyIsToldTheNumbers() throws {
        let visitors = VisitorTable(limit: 2)
        try visitors.enter(viewer(1), connection: 1)
        try visitors.enter(viewer(0), connection: 2)
        for newcomer in [viewer(0), viewer(2)] {
            do {
                try visitors.enter(newcomer, connection: 3)
                Issue.record("admitted")
            } catch {
                #expect(error.status == 503 && error.code == "tooManyViewers")
                #expect(error.occupancy == .init(viewers: 2, limit: 2))
            }
        }
        #expect(visitors.totals == (limit: 2, viewers: 2, refused: 2))
        visitors.leave(viewer(0), connection: 2)
        try visitors.enter(viewer(2), connection: 4)
    }

    @Test func aVisitorTakesOnePlaceAndAConnectionWithoutNameOneEach() throws {
        let visitors = VisitorTable(limit: 3)
        for connection in 1...5 { try visitors.enter(viewer(7), connection: UInt64(connection)) }
        #expect(visitors.totals.viewers == 1)
        try visitors.enter(viewer(0), connection: 6)
        try visitors.enter(viewer(0), connection: 7)
        #expect(visitors.totals.viewers == 3)
        // Who has a place may have more of it, also now.
        try visitors.enter(viewer(7), connection: 8)
        for connection in [1, 2, 3, 4, 5] { visitors.leave(viewer(7), connection: UInt64(connection)) }
        #expect(visitors.totals.viewers == 3)
        visitors.leave(viewer(7), connection: 8)
        #expect(visitors.totals.viewers == 2)
    }

    @Test func oneServerHasAPlaceBesideTheOthers() throws {
        let visitors = VisitorTable(limit: 1)
        try visitors.enter(viewer(1), connection: 1)
        #expect(visitors.prospect(of: viewer(9, "server-voip")).isAdmitted)
        try visitors.enter(viewer(9, "server-voip"), connection: 2)
        #expect(throws: RequestRefusal.self) { try visitors.enter(viewer(10, "server-voip"), connection: 3) }
        #expect(throws: RequestRefusal.self) { try visitors.enter(viewer(2), connection: 3) }
        visitors.leave(viewer(1), connection: 1)
        try visitors.enter(viewer(2), connection: 3)
    }

    @Test func aChannelHasALimitOfItsOwn() async throws {
        let visitors = VisitorTable(limit: 3, channelLimit: 1)
        try visitors.enter(viewer(1), connection: 1, channel: 0)
        // Once more, and of another channel; what is no stream of one counts for none.
        try visitors.enter(viewer(1), connection: 2, channel: 0)
        try visitors.enter(viewer(1), connection: 3, channel: 1)
        try visitors.enter(viewer(2), connection: 4)
        do {
            try visitors.enter(viewer(2), connection: 5, channel: 0)
            Issue.record("admitted")
        } catch {
            #expect(error.occupancy == .init(viewers: 1, limit: 1))
        }
        #expect(visitors.totals == (limit: 3, viewers: 2, refused: 1))
        #expect(!visitors.hasFreePlace(on: 0) && visitors.hasFreePlace(on: 2))
        #expect(await state("type=live", FakeDevice(), visitors, from: 2).contains(#""status":"405""#))
        #expect(await state("type=download", FakeDevice(), visitors, from: 2).contains(#""status":"0""#))
        try visitors.enter(viewer(9, "server-voip"), connection: 6, channel: 0)
        visitors.leave(viewer(1), connection: 1, channel: 0)
        #expect(!visitors.hasFreePlace(on: 0))
        visitors.leave(viewer(1), connection: 2, channel: 0)
        try visitors.enter(viewer(2), connection: 7, channel: 0)
        visitors.setLimit(3, ofChannel: nil)
        try visitors.enter(viewer(3), connection: 8, channel: 0)
    }

    @Test func whatAVisitorSaidOfItselfIsKept() {
        let visitors = VisitorTable()
        #expect(visitors.saw(viewer(9, "server-voip")).isServer)
        #expect(visitors.saw(viewer(9)) == viewer(9, "server-voip"))
        #expect(visitors.saw(viewer(8)).requester == nil)
        visitors.saw(viewer(0, "server-voip"))
        #expect(visitors.saw(viewer(0)).requester == nil)
        #expect(viewer(1, String(repeating: "x", count: 65)).requester == nil && viewer(1, "a b").requester == nil)
    }

    // MARK: get_device_st

    private func state(_ text: String, _ device: FakeDevice, _ visitors: VisitorTable, from visitor: UInt32 = 0) async
        -> String
    {
        let command = "action=inner_define&cmd=get_device_st&\(text)"
        return await device.table(visitors: visitors).answer(command, from: VisitorID(visitor)) { $0 < 2 }.text
    }

    @Test(arguments: [
        ("channel=0&type=live&quality=standard", "0"), ("channel=0&type=Live&qualtity=high", "0"), ("type=live", "0"),
        ("type=live&quality=bogus", "404"), ("channel=1&type=live&quality=standard", "404"),
        ("channel=99&type=live", "404"), ("channel=x&type=live", "404"), ("type=", "404"), ("", "404"),
        ("type=nothing", "404"), ("type=voice&quality=standard", "0"), ("type=playback", "0"),
        ("type=playback-audio", "0"), ("type=live-audio&quality=", "0"), ("channel=1&type=live-audio", "404"),
        ("type=live-mjpg", "0"), ("type=playback-mjpg", "404"), ("type=download", "0"),
    ])
    func theStateOfTheDevice(_ text: String, _ status: String) async {
        #expect(
            await state(text, FakeDevice(), VisitorTable()) == "[{\"status\":\"\(status)\",\"appConnectNum\":\"1\"}]")
    }

    @Test func whatTheDeviceCannotDoIsSaid() async {
        let (device, visitors) = (FakeDevice(), VisitorTable())
        device.state.withLock { ($0.isStandby, $0.isTalking, $0.hasRecordings) = (true, true, false) }
        #expect(await state("type=live", device, visitors).contains(#""status":"1""#))
        #expect(await state("type=voice", device, visitors).contains(#""status":"1""#))
        #expect(await state("type=playback", device, visitors).contains(#""status":"404""#))
        device.state.withLock { $0.isTalking = nil }
        #expect(await state("type=voice", device, visitors).contains(#""status":"404""#))
    }

    @Test func fullnessIsToldToThoseItKeepsOut() async throws {
        let (device, visitors) = (FakeDevice(), VisitorTable(limit: 2))
        try visitors.enter(viewer(1), connection: 1)
        #expect(await state("type=live", device, visitors, from: 1) == #"[{"status":"0","appConnectNum":"1"}]"#)
        #expect(await state("type=live", device, visitors, from: 2) == #"[{"status":"0","appConnectNum":"2"}]"#)
        try visitors.enter(viewer(2), connection: 2)
        #expect(await state("type=live", device, visitors, from: 3) == #"[{"status":"405","appConnectNum":"3"}]"#)
        #expect(await state("type=playback", device, visitors, from: 3) == #"[{"status":"405","appConnectNum":"3"}]"#)
        #expect(await state("type=live", device, visitors) == #"[{"status":"405","appConnectNum":"3"}]"#)
        #expect(await state("type=voice", device, visitors, from: 3) == #"[{"status":"0","appConnectNum":"3"}]"#)
        // Who watches may change what it watches.
        #expect(await state("type=live", device, visitors, from: 2) == #"[{"status":"0","appConnectNum":"2"}]"#)
        visitors.leave(viewer(1), connection: 1)
        #expect(await state("type=live", device, visitors, from: 3) == #"[{"status":"0","appConnectNum":"2"}]"#)
    }

    @Test func channelsAreListed() async {
        let text = "action=inner_define&cmd=get_nvr_list&nvr=x"
        #expect(
            await FakeDevice().table().answer(text, from: .anonymous) { _ in false }.text
                == #"[{"DeviceName":"cam_front","Channel":"0","Online":"1"},"#
                + #"{"DeviceName":"cam_back","Channel":"1","Online":"0"}]"#)
    }

    // MARK: Coming and going

    @Test func aNewerStreamOfTheSameKindTakesThePlace() {
        let visitors = VisitorTable()
        let (first, other, second) = (Stream(), Stream(), Stream())
        func place(_ visitor: UInt32, _ kind: StreamKind) -> VisitorTable.Place {
            .init(visitor: VisitorID(visitor), channel: 0, kind: kind)
        }
        visitors.begin(first, at: place(1, .live))
        for (visitor, kind) in [(1, StreamKind.liveAudio), (2, .live), (1, .playback)] as [(UInt32, StreamKind)] {
            visitors.begin(other, at: place(visitor, kind))
        }
        #expect(!first.isStopped.withLock { $0 })
        visitors.begin(second, at: place(1, .live))
        #expect(first.isStopped.withLock { $0 } && !other.isStopped.withLock { $0 })
        // The one that was replaced ends later, and takes nothing with it.
        visitors.end(first, at: place(1, .live))
        visitors.begin(Stream(), at: place(1, .live))
        #expect(second.isStopped.withLock { $0 })
        // Viewers without a name do not end each other's.
        let (one, two) = (Stream(), Stream())
        visitors.begin(one, at: place(0, .live))
        visitors.begin(two, at: place(0, .live))
        #expect(!one.isStopped.withLock { $0 })
    }

    @Test func theLastConnectionsEndIsTold() throws {
        let lost = Mutex<[VisitorID]>([])
        let visitors = VisitorTable { visitor in lost.withLock { $0.append(visitor) } }
        try visitors.enter(viewer(1), connection: 1)
        visitors.attach(viewer(1))
        visitors.leave(viewer(1), connection: 1)
        #expect(lost.withLock { $0.isEmpty })
        visitors.detach(VisitorID(1))
        #expect(lost.withLock { $0 } == [VisitorID(1)])
        // Commands alone are no connection.
        visitors.saw(viewer(2))
        #expect(lost.withLock { $0.count } == 1)
    }

    @Test func theSilentAreForgotten() {
        let clock = Clock()
        let visitors = VisitorTable(clock: clock)
        visitors.attach(viewer(1))
        visitors.saw(viewer(2))
        #expect(Set(visitors.present) == [VisitorID(1), VisitorID(2)])
        clock.pass(59)
        #expect(visitors.present.count == 2)
        clock.pass(1)
        #expect(visitors.present == [VisitorID(1)])
        for number in 0..<UInt32(3 * VisitorTable.maximumVisitors) { visitors.saw(viewer(100 + number)) }
        #expect(visitors.present.count <= VisitorTable.maximumVisitors)
        #expect(visitors.present.contains(VisitorID(1)))
    }

    // MARK: Feedback

    @Test func messagesWaitForWhoDoesNotListenYet() async {
        let clock = Clock()
        let desk = FeedbackDesk(clock: clock)
        #expect(desk.tell(["a": .number(1)], to: VisitorID(1)) ?? (-1, -1) == (reached: 0, waiting: 1))
        clock.pass(30)
        desk.tell(["a": .number(2)], to: VisitorID(1))
        clock.pass(30)
        // The first has waited as long as a call rings.
        var messages = desk.listen(VisitorID(1)).makeAsyncIterator()
        #expect(await messages.next() == #"{"a":2}"#)
        #expect(desk.tell(["a": .number(3)], to: nil, others: [VisitorID(2)]) ?? (-1, -1) == (reached: 1, waiting: 1))
        #expect(desk.tell(["a": .number(4)], to: VisitorID(2)) ?? (-1, -1) == (reached: 0, waiting: 1))
        #expect(await messages.next() == #"{"a":3}"#)
        var others = desk.listen(VisitorID(2)).makeAsyncIterator()
        #expect(await others.next() == #"{"a":3}"#)
        #expect(await others.next() == #"{"a":4}"#)
    }

    @Test func messagesAreBounded() async {
        let desk = FeedbackDesk()
        #expect(desk.tell(.text(String(repeating: "x", count: 2999)), to: nil) == nil)
        for number in 0..<100 { desk.tell(.number(Int64(number)), to: VisitorID(1)) }
        var messages = desk.listen(VisitorID(1)).makeAsyncIterator()
        #expect(await messages.next() == "84")
        var kept = 0
        for number in 10..<UInt32(10 + 2 * FeedbackDesk.maximumVisitors) {
            kept += desk.tell(.null, to: VisitorID(number))?.waiting ?? 0
        }
        #expect(kept == FeedbackDesk.maximumVisitors)
    }

    // MARK: What is remembered

    @Test func whatViewersSetIsRemembered() {
        var memory = DeviceMemory()
        #expect(memory.text == "edge-agent device 1\n")
        memory.isStandby = true
        memory.set(.flip, channel: 3)
        memory.set(.mirror, channel: 1)
        memory.set(.normal, channel: 1)
        #expect(memory.text == "edge-agent device 1\nstandby\norientation 3 flip\n")
        #expect(DeviceMemory(text: memory.text) == memory)
        #expect(
            DeviceMemory(text: "edge-agent device 1\norientation x flip\nwhat\norientation 2 up\n") == DeviceMemory())
        #expect(DeviceMemory(text: "something else\nstandby\n") == nil)
        #expect(DeviceMemory(text: "") == nil)
    }
}
